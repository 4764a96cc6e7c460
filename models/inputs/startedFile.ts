import { readStart } from '../../sources/read.js';
import { StartedSource } from '../../sources/startedSource.js';
import { PROBE_SIZE } from '../../src/bytes/fileStart.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import { withPlace } from '../../src/errors/placed.js';
import { assertSource, type RandomAccessSource, sourceName } from '../../src/source.js';

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

/** Opens what is in a file whose start has been read; where that fails, nothing more of it is requested. */
export async function openingStarted<T>({ source }: StartedFile, open: () => Promise<T>): Promise<T> {
  try {
    return await withPlace({ file: sourceName(source) }, open);
  } catch (error) {
    void source.stop();
    throw error;
  }
}
