import { getSystemErrorMap } from 'node:util';
import { CommanderError } from 'commander';
import { systemReason } from '../platform/systemError.js';
import { ArgumentError, HolostreamError } from '../src/errors.js';

/** The process's exit codes. */
export const EXIT_OK = 0;
/** The data is bad, or cannot be read or written. */
const EXIT_DATA = 1;
/** The command line is wrong. */
const EXIT_USAGE = 2;

/** The command line is wrong; the message says what would be right. */
export class UsageError extends Error {}

/** The command line is right, but not for these data. */
export class DataError extends Error {}

/** The user pressed Ctrl-C. */
export class Interruption extends Error {}

export interface Failure {
  readonly code: number;
  /** One line for the user; empty if nothing needs to be said. */
  readonly message: string;
}

export function describeFailure(error: unknown): Failure {
  if (error instanceof CommanderError) return describeCommanderError(error);
  if (isBrokenPipe(error)) return { code: EXIT_OK, message: '' };
  const message = oneLine(error instanceof Error ? withCause(error) : String(error));
  if (USAGE.some((kind) => error instanceof kind)) return { code: EXIT_USAGE, message };
  const expected = isSystemError(error) || DATA.some((kind) => error instanceof kind);
  return { code: EXIT_DATA, message: expected ? message : `unexpected: ${message}` };
}

const USAGE = [UsageError, ArgumentError];
const DATA = [HolostreamError, DataError, Interruption];

/** Adds the words of the operating system where the message has none of its own: "Cannot read file (x): i/o error". */
function withCause({ message, cause }: Error): string {
  const isSaid = systemReason(cause) !== '';
  if (isSaid || !isSystemError(cause) || cause.errno === undefined) return message;
  const [, reason] = getSystemErrorMap().get(cause.errno) ?? [];
  return reason === undefined ? message : `${message}: ${reason}`;
}

/** Commander counts asking for help as an error too; its messages begin with "error: ". */
function describeCommanderError({ code, exitCode, message }: CommanderError): Failure {
  // Of --help, --version, and the command help; where there is no command, help comes with another exit code.
  if (exitCode === 0) return { code: EXIT_OK, message: '' };
  if (code === 'commander.help') return { code: EXIT_USAGE, message: '' };
  return { code: EXIT_USAGE, message: oneLine(message.replace(/^error: /, '')) };
}

/** The reader of our output has ended (`… | head`): this is no failure. */
function isBrokenPipe(error: unknown): boolean {
  return isSystemError(error) && error.code === 'EPIPE';
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim();
}
