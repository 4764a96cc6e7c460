#!/usr/bin/env node
/** The command `holostream` as a process: signals interrupt it, and its exit code says how it ended. */
import { Interruption } from './failure.js';
import { report, runCommand } from './program.js';
import { onSignal } from './signals.js';
import { onOutputEnd } from './terminal.js';

const args = process.argv.slice(2);
const interruption = new AbortController();

// The first signal lets the command remove what it was writing.
onSignal((signal, number) => {
  process.exitCode = 128 + number;
  interruption.abort(new Interruption(`interrupted by ${signal}`));
});

// `… | head` stops reading early: an end, but no failure. No file is being written meanwhile.
onOutputEnd((error) => {
  endWith(report(error, args));
  process.exit();
});

// Node would show the message as it is.
process.once('uncaughtException', (error) => {
  endWith(report(error, args));
  process.exit();
});

endWith(await runCommand(args, interruption.signal));

function endWith(code: number): void {
  // After a signal, its handler has set the exit code.
  if (!interruption.signal.aborted) process.exitCode = code;
}
