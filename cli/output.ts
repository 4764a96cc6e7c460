import { readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { leftoversOf } from '../sinks/leftovers.js';
import { quote } from '../src/errors/show.js';
import { SinkError } from '../src/errors.js';
import { UsageError } from './failure.js';
import { STANDARD } from './files.js';
import { formatBytes } from './progress.js';
import { counted, printReport, type Report } from './report.js';

/** Options of the commands that write a file or a folder. */
export interface OutputChoice {
  readonly output: string;
  /** Replace what exists. */
  readonly force?: true;
  /** Say what was written as JSON. */
  readonly json?: true;
}

/**
 * Looks at the place of an output before work is done for it.
 * @throws UsageError when something exists that may not be replaced, SinkError when its folder does not exist
 */
export async function checkOutput({ output, force, json }: OutputChoice): Promise<void> {
  if (output === STANDARD) {
    if (json) throw new UsageError('--json is for standard output, which has the bytes');
    return;
  }
  const parent = await stat(dirname(output)).catch(() => undefined);
  if (!parent?.isDirectory()) {
    throw new SinkError('Cannot create the file: its folder does not exist', { name: output });
  }
  if (!force && (await isTaken(output))) {
    throw new UsageError(`Cannot write ${quote(output)}: it exists; --force replaces it`);
  }
}

/** An empty folder is free. What is neither a file nor a folder is refused where it is opened. */
async function isTaken(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  // What an interrupted run has left is hidden.
  if (found?.isDirectory() && (await readdir(path)).some((name) => !name.startsWith('.'))) return true;
  // A model that a killed run has moved aside will be put back.
  return found?.isFile() || (await leftoversOf(path, 'old')).length > 0;
}

/** What a command has written. Sizes in bytes. */
export interface Outcome {
  readonly tensors: number;
  /** Of the elements of its tensors. */
  readonly originalSize: number;
  /** What is on the disk: of what was encoded, the encoding. */
  readonly fileSize: number;
  /** Facts of one kind of output, by their names in JSON, and as words. */
  readonly more?: { readonly data: object; readonly words: readonly string[] };
}

/** Runs what writes an output, and says in one line what became of it, unless standard output has the bytes. */
export async function reportOutcome(
  { output, json }: OutputChoice,
  write: () => Promise<Outcome>,
): Promise<void> {
  const start = performance.now();
  const outcome = await write();
  if (output !== STANDARD)
    printReport(outcomeReport(output, outcome, (performance.now() - start) / 1000), json);
}

export function outcomeReport(
  output: string,
  { tensors, originalSize, fileSize, more }: Outcome,
  seconds: number,
): Report {
  const ratio = originalSize === 0 || fileSize === 0 ? 1 : originalSize / fileSize;
  const rate = originalSize / Math.max(seconds, 0.001);
  const sizes =
    fileSize === originalSize
      ? formatBytes(fileSize)
      : `${formatBytes(originalSize)} in ${formatBytes(fileSize)} (ratio ${ratio.toFixed(3)})`;
  const words = [
    counted(tensors, 'tensor'),
    sizes,
    ...(more?.words ?? []),
    `${seconds.toFixed(1)} s`,
    `${formatBytes(Math.round(rate))}/s`,
  ];
  return {
    data: { output, tensors, originalSize, fileSize, ratio, seconds, ...more?.data },
    lines: [`${output}: ${words.join(', ')}`],
  };
}
