import { readStart } from '../../sources/read.js';
import { StartedSource } from '../../sources/startedSource.js';
import { PROBE_SIZE } from '../../src/bytes/fileStart.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import { assertSource, type RandomAccessSource } from '../../src/source.js';

/** An open file, and its first bytes, which tell what it is; more of its start is under way, or has arrived. */
export interface StartedFile {
  /** Undefined for a source of the caller's own. */
  readonly name?: string;
  readonly source: StartedSource;
  readonly start: Uint8Array;
}

/** Reads the start of a file, by one request where the file is on a server. */
export async function startFile(given: RandomAccessSource, options: OpenOptions): Promise<StartedFile> {
  assertSource(given);
  const source = new StartedSource(given);
  try {
    return { source, start: await readStart(source, PROBE_SIZE, options) };
  } catch (error) {
    void source.stop();
    throw error;
  }
}
