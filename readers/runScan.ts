import { readStart } from '../sources/read.js';
import { type Scan, ScanWindow } from '../src/bytes/scan.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import type { RandomAccessSource } from '../src/source.js';
import { readBytes } from './readGrammar.js';

/**
 * Drives a scan of a file, reading what it asks for.
 * @throws what the scan and the source throw
 */
export async function runScan<T>(
  source: RandomAccessSource,
  scan: (window: ScanWindow) => Scan<T>,
  options: AbortOptions,
): Promise<T> {
  // The size of a file on a server is known once something of it has been read.
  if (source.size === undefined) await readStart(source, 1, options);
  const steps = scan(new ScanWindow(source.size ?? 0));
  let step = steps.next();
  while (!step.done)
    step = steps.next(await readBytes(source, step.value.offset, step.value.length, options));
  return step.value;
}
