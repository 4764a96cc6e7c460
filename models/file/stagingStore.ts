import { memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';
import { concatenate, viewOf } from '../../src/bytes/binary.js';
import { parseJson } from '../../src/bytes/json.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { ChecksumError, FormatError } from '../../src/errors.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { discard, type RandomAccessSource, type ReadOptions, type SeekableSink } from '../../src/source.js';
import { formatHash, HASH } from './plan.js';

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

/** What pieces of entries are read from. */
export interface EntryReader {
  open(name: string): Promise<Pick<RandomAccessSource, 'read' | 'close'> | undefined>;
}

/** What an entry says of itself, in JSON before its pieces. */
interface StagingRecord {
  /** Of the source tensor and the options: an entry with another fingerprint is not used. */
  readonly fingerprint: string;
  readonly cosines: readonly number[];
  /** Bytes of the header piece, then of each fragment. */
  readonly sizes: readonly number[];
  /** XXH3-64 of each piece, 16 hexadecimal digits. */
  readonly hashes: readonly string[];
}

/** An encoded tensor in a staging store. */
export interface StagedTensor extends StagingRecord {
  readonly entry: string;
  /** Where each piece begins in the entry. */
  readonly starts: readonly number[];
  /** XXH3-64 of the bytes before the pieces, 16 hexadecimal digits. */
  readonly startHash: string;
}

/** An entry begins with the length of its record and the record's hash. */
const LENGTH_SIZE = 4;
const HASH_SIZE = 8;

/** Cap on the record of one entry: room for 65,535 fragments with their cosines, sizes and hashes. */
const MAX_RECORD_SIZE = 2 ** 22;

/** Writes the pieces of a tensor as an entry of the store. */
export async function stageTensor(
  staging: StagingStore,
  entry: string,
  { fingerprint, cosines }: Pick<StagingRecord, 'fingerprint' | 'cosines'>,
  pieces: readonly Uint8Array[],
  { xxh3 }: Pick<Kernels, 'xxh3'>,
  { signal }: AbortOptions,
): Promise<StagedTensor> {
  const sizes = pieces.map(({ length }) => length);
  const hashes = pieces.map((piece) => formatHash(xxh3(piece)));
  const record = { fingerprint, cosines, sizes, hashes };
  const json = new TextEncoder().encode(JSON.stringify(record));
  const start = new Uint8Array(LENGTH_SIZE + HASH_SIZE);
  viewOf(start).setUint32(0, json.length, true);
  viewOf(start).setBigUint64(LENGTH_SIZE, xxh3(json), true);
  const whole = concatenate([start, json]);
  const sink = await staging.create(entry);
  try {
    let position = 0;
    for (const bytes of [whole, ...pieces]) {
      signal?.throwIfAborted();
      await sink.write(bytes, position);
      position += bytes.length;
    }
    signal?.throwIfAborted();
    await sink.close();
  } catch (error) {
    await discard(sink, error);
    throw error;
  }
  return stagedTensor(entry, record, whole, xxh3);
}

/**
 * Finds an entry that an earlier run made from the same tensor with the same options; undefined if there is none.
 * @throws ChecksumError, FormatError when the entry is damaged
 */
export async function findStagedTensor(
  staging: StagingStore,
  entry: string,
  fingerprint: string,
  { xxh3 }: Pick<Kernels, 'xxh3'>,
  options: AbortOptions,
): Promise<StagedTensor | undefined> {
  const source = await staging.open(entry);
  if (source === undefined) return undefined;
  try {
    const start = await source.read(0, LENGTH_SIZE + HASH_SIZE, options);
    const length = viewOf(start).getUint32(0, true);
    if (length > MAX_RECORD_SIZE) {
      const expected = `at most ${MAX_RECORD_SIZE} bytes`;
      throw new FormatError(`${DAMAGED} its record is too large`, { name: entry, expected, actual: length });
    }
    const json = await source.read(start.length, length, options);
    verify(entry, json, viewOf(start).getBigUint64(LENGTH_SIZE, true), xxh3);
    const record = parseRecord(json, entry);
    if (record.fingerprint !== fingerprint) return undefined;
    const whole = concatenate([start, json]);
    return stagedTensor(entry, record, whole, xxh3);
  } finally {
    await source.close?.();
  }
}

function stagedTensor(
  entry: string,
  record: StagingRecord,
  start: Uint8Array,
  xxh3: Kernels['xxh3'],
): StagedTensor {
  let at = start.length;
  const starts = record.sizes.map((size) => {
    const from = at;
    at += size;
    return from;
  });
  return { ...record, entry, starts, startHash: formatHash(xxh3(start)) };
}

/** @throws FormatError, LimitError */
function parseRecord(json: Uint8Array, entry: string): StagingRecord {
  const value = parseJson(json, 'Cannot use an encoded tensor of the staging store', MAX_RECORD_SIZE, entry);
  const { fingerprint, cosines, sizes, hashes } = (value ?? {}) as { readonly [field: string]: unknown };
  const isRecord =
    typeof fingerprint === 'string' &&
    isListOf(cosines, (cosine): cosine is number => typeof cosine === 'number') &&
    isListOf(sizes, (size): size is number => Number.isSafeInteger(size) && (size as number) >= 0) &&
    isListOf(hashes, (hash): hash is string => typeof hash === 'string' && HASH.test(hash)) &&
    sizes.length === cosines.length + 1 &&
    hashes.length === sizes.length;
  if (!isRecord) throw new FormatError(`${DAMAGED} its record is invalid`, { name: entry });
  return { fingerprint, cosines, sizes, hashes };
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isItem);
}

/**
 * A piece of a staged tensor. Nothing in the store is trusted: the bytes are compared with the hash from when they were
 * staged, and with the header piece, the bytes before it.
 * @throws ChecksumError, TruncatedError; FormatError when the entry is gone
 */
export async function readStagedPiece(
  staging: EntryReader,
  { entry, sizes, hashes, starts, startHash }: StagedTensor,
  piece: number,
  { xxh3 }: Pick<Kernels, 'xxh3'>,
  options: ReadOptions,
): Promise<Uint8Array> {
  const source = await staging.open(entry);
  if (source === undefined) throw new FormatError(`${DAMAGED} it is missing`, { name: entry });
  try {
    const { signal } = options;
    if (piece === 0)
      verify(entry, await source.read(0, starts[0]!, { signal }), BigInt(`0x${startHash}`), xxh3);
    const bytes = await source.read(starts[piece]!, sizes[piece]!, options);
    verify(entry, bytes, BigInt(`0x${hashes[piece]!}`), xxh3);
    return bytes;
  } finally {
    await source.close?.();
  }
}

const DAMAGED = 'Cannot use an encoded tensor of the staging store:';

/** @throws ChecksumError */
function verify(name: string, bytes: Uint8Array, expected: bigint, xxh3: Kernels['xxh3']): void {
  const actual = xxh3(bytes);
  if (actual !== expected) throw new ChecksumError(`${DAMAGED} wrong checksum`, { name, expected, actual });
}

/** Keeps encoded tensors in memory: for models that fit, and where no disk is available. */
export function memoryStagingStore(): StagingStore {
  const entries = new Map<string, Uint8Array>();
  return {
    async open(name) {
      const entry = entries.get(name);
      return entry === undefined ? undefined : bytesSource(entry);
    },
    async create(name) {
      const sink = memorySink();
      return {
        write: sink.write,
        abort: sink.abort,
        async close() {
          await sink.close();
          const { bytes } = sink;
          // There may be many entries, which are smaller than the first memory of a sink.
          entries.set(name, 2 * bytes.length < bytes.buffer.byteLength ? bytes.slice() : bytes);
        },
      };
    },
  };
}

/** Bytes of tensors whose entries are kept in memory. */
const MOST_KEPT = 2 ** 25;

/**
 * The same store, but for small tensors, as many as do not take much memory: a file for each takes a hundred times longer to write and
 * to open than it takes to encode them again.
 * @param smallBytes of a small tensor, by the name of its entry; undefined for another one
 */
export function withSmallInMemory(
  staging: StagingStore,
  smallBytes: (entry: string) => number | undefined,
): StagingStore {
  const small = memoryStagingStore();
  let kept = 0;
  return {
    open: async (name) => (await small.open(name)) ?? staging.open(name),
    create(name) {
      const bytes = smallBytes(name);
      if (bytes === undefined || kept + bytes > MOST_KEPT) return staging.create(name);
      kept += bytes;
      return small.create(name);
    },
  };
}
