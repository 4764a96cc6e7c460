import { type MemorySink, memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';
import { viewOf } from '../../src/bytes/binary.js';
import { FormatError } from '../../src/errors.js';
import type { AbortOptions, RandomAccessSource, SeekableSink } from '../../src/source.js';

/**
 * Where encoded tensors wait until all are there: only then is it known which fragment of which tensor comes next in
 * the file. What a broken run has left there, the next one need not do again.
 */
export interface StagingStore {
  /** An entry that has been written whole, or undefined. */
  open(name: string): Promise<RandomAccessSource | undefined>;
  /** An entry is there when its sink has been closed. */
  create(name: string): Promise<SeekableSink>;
}

/** What stands in front of the pieces of an entry. */
export interface StagingRecord {
  /** Of the source tensor and the options: an entry of another run is not used. */
  readonly fingerprint: string;
  readonly cosines: readonly number[];
  /** Bytes of the header piece, then of each fragment. */
  readonly sizes: readonly number[];
}

/** Cap on the record of one entry: 65,535 fragments with their cosines and sizes. */
const MAX_RECORD_SIZE = 2 ** 22;

export async function writeStagedEntry(
  sink: SeekableSink,
  record: StagingRecord,
  pieces: readonly Uint8Array[],
): Promise<void> {
  try {
    const json = new TextEncoder().encode(JSON.stringify(record));
    const length = new Uint8Array(4);
    viewOf(length).setUint32(0, json.length, true);
    let position = 0;
    for (const bytes of [length, json, ...pieces]) {
      await sink.write(bytes, position);
      position += bytes.length;
    }
    await sink.close();
  } catch (error) {
    await sink.abort(error);
    throw error;
  }
}

/** An entry, its record, and where its pieces begin. The source is the caller's to close. */
export interface StagedEntry {
  readonly source: RandomAccessSource;
  readonly record: StagingRecord;
  readonly dataStart: number;
}

/** Opens an entry that was made of the same tensor by the same options; undefined when there is none. */
export async function openStagedEntry(
  staging: StagingStore,
  name: string,
  fingerprint: string,
  options: AbortOptions,
): Promise<StagedEntry | undefined> {
  const source = await staging.open(name);
  if (source === undefined) return undefined;
  try {
    const length = viewOf(await source.read(0, 4, options)).getUint32(0, true);
    if (length <= MAX_RECORD_SIZE) {
      const json = new TextDecoder().decode(await source.read(4, length, options));
      const record = JSON.parse(json) as StagingRecord;
      if (record.fingerprint === fingerprint) return { source, record, dataStart: 4 + length };
    }
  } catch (error) {
    // Whatever another program may have put there: it is made anew.
    if (!(error instanceof FormatError || error instanceof SyntaxError)) {
      await source.close?.();
      throw error;
    }
  }
  await source.close?.();
  return undefined;
}

/** Keeps encoded tensors in memory: for models that fit it, and where there is no disk. */
export function memoryStagingStore(): StagingStore {
  const entries = new Map<string, MemorySink>();
  return {
    async open(name) {
      const entry = entries.get(name);
      return entry === undefined ? undefined : bytesSource(entry.bytes);
    },
    async create(name) {
      const sink = memorySink();
      return {
        write: sink.write,
        abort: sink.abort,
        async close() {
          await sink.close();
          entries.set(name, sink);
        },
      };
    },
  };
}
