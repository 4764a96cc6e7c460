import { type MemorySink, memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';
import { viewOf } from '../../src/bytes/binary.js';
import { FormatError } from '../../src/errors.js';
import type { AbortOptions, RandomAccessSource, SeekableSink } from '../../src/source.js';

/**
 * Holds encoded tensors until all are encoded: only then is the order of their fragments in the file known. A run that
 * was interrupted leaves its tensors there for the next run.
 */
export interface StagingStore {
  /** An entry that was written completely, or undefined. */
  open(name: string): Promise<RandomAccessSource | undefined>;
  /** An entry exists once its sink is closed. */
  create(name: string): Promise<SeekableSink>;
}

/** The record at the start of an entry, before its pieces. */
export interface StagingRecord {
  /** Of the source tensor and the options: an entry with another fingerprint is not used. */
  readonly fingerprint: string;
  readonly cosines: readonly number[];
  /** Bytes of the header piece, then of each fragment. */
  readonly sizes: readonly number[];
}

/** Cap on the record of one entry: room for 65,535 fragments with their cosines and sizes. */
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

/** An entry, its record, and where its pieces begin. The caller closes the source. */
export interface StagedEntry {
  readonly source: RandomAccessSource;
  readonly record: StagingRecord;
  readonly dataStart: number;
}

/** Opens an entry made from the same tensor with the same options; undefined if there is none. */
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
    // Not an entry of ours, or a damaged one: encode the tensor again.
    if (!(error instanceof FormatError || error instanceof SyntaxError)) {
      await source.close?.();
      throw error;
    }
  }
  await source.close?.();
  return undefined;
}

/** Keeps encoded tensors in memory: for models that fit, and where no disk is available. */
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
