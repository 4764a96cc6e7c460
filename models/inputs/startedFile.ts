import { withKnownStart } from '../../sources/knownStart.js';
import { readStart } from '../../sources/read.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import { assertSource, type RandomAccessSource } from '../../src/source.js';

/** An open file, and its first bytes, which the source does not read again. */
export interface StartedFile {
  /** Undefined for a source of the caller's own. */
  readonly name?: string;
  readonly source: RandomAccessSource;
  readonly start: Uint8Array;
}

/** Bytes of the first read of a file: the headers of most, with what follows them. */
const FIRST_READ_SIZE = 65536;

/** Reads the start of a file, by one request where the file is on a server. */
export async function startFile(source: RandomAccessSource, options: OpenOptions): Promise<StartedFile> {
  assertSource(source);
  const start = await readStart(source, FIRST_READ_SIZE, options);
  return { source: withKnownStart(source, start), start };
}
