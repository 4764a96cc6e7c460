import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilePrograms } from '../../scripts/compilePrograms.js';
import type { Finding, Report } from './checks.js';
import type { Message, ProcessOptions } from './soakProcess.js';

/** The processes of the jobs and of their server, compiled once for all runs of this process. */
let programs: readonly string[] | undefined;

export interface SuperviseOptions extends ProcessOptions {
  readonly root: string;
  /** @returns whether to go on */
  readonly found: (finding: Finding) => boolean;
  readonly progress: (report: Report) => void;
}

/**
 * Soaks for some minutes, in a process of its own.
 * @returns undefined when it did not come to its end
 */
export async function supervise({ root, found, progress, ...options }: SuperviseOptions) {
  programs ??= compile(root);
  const child = fork(programs[0]!, {
    execArgv: ['--expose-gc', '--enable-source-maps', '--no-warnings'],
    serialization: 'advanced',
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  let done: Report | undefined;
  let stopped = false;
  child.on('message', (message: Message) => {
    if (message.kind !== 'found') progress(message.report);
    else if (!found(message.finding)) {
      stopped = true;
      kill();
    }
    if (message.kind === 'done') done = message.report;
  });
  child.send(options);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (...ended) => resolve(ended));
  });
  process.off('exit', kill);
  if (!stopped && (done === undefined || code !== 0)) {
    found({ check: 'end', step: undefined, what: `the process ended with ${signal ?? `code ${code}`}` });
  }
  return done;
}

function compile(root: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'holostream-soak-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  const sources = ['soakProcess.ts', 'serverProcess.ts'];
  return compilePrograms(
    root,
    sources.map((name) => join(root, 'test/soak', name)),
    folder,
  );
}
