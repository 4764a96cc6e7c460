import { concatenate, viewOf } from '../../src/bytes/binary.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import type { TensorPlan } from '../../src/encodings/embedded/plan.js';
import { sizesOf, type TileRange } from '../../src/encodings/embedded/tileRange.js';
import { ChecksumError, FormatError, type SourceError } from '../../src/errors.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { lostUnit } from '../lostUnit.js';
import type { BulkStorage } from '../storage/storage.js';
import { unitObject } from '../unitFile.js';
import type { TileRangeOfUnit } from '../units.js';

/**
 * The object of a range: what is known of its tiles, then their units. It begins with the XXH3-64 of the rest of what is known: a
 * word with a bit for each plane that has signs, the hash of the first units of all tiles, of the second ones, and so on, and the
 * numbers and lengths of {@link TileRange}.
 */

const HASH_BYTES = 8;
const WORD_BYTES = 8;

/** Units in an object: the first ones of all tiles, or the second ones, and so on. */
export interface StoredRun {
  readonly offset: number;
  readonly size: number;
  /** XXH3-64. */
  readonly hash: bigint;
}

/** An object of a range, without the units. */
export interface RangeFacts extends Omit<TileRange, 'bytes'> {
  readonly runs: readonly StoredRun[];
}

export interface StoredRange extends RangeFacts {
  readonly key: string;
  readonly firstTile: number;
}

function layoutOf({ tiles }: Pick<TileRangeOfUnit, 'tiles'>, plan: Pick<TensorPlan, 'coding'>) {
  const { numbers, units } = sizesOf(plan);
  const hashesAt = HASH_BYTES + WORD_BYTES;
  const numbersAt = hashesAt + HASH_BYTES * units;
  const lengthsAt = numbersAt + Float64Array.BYTES_PER_ELEMENT * numbers * tiles;
  const end = lengthsAt + Uint32Array.BYTES_PER_ELEMENT * units * tiles;
  return { units, numbers: numbers * tiles, hashesAt, numbersAt, lengthsAt, end };
}

export function serializeRange(
  { numbers, lengths, signPlanes, bytes }: TileRange,
  range: Pick<TileRangeOfUnit, 'tiles'>,
  plan: Pick<TensorPlan, 'coding'>,
  { xxh3 }: Pick<Kernels, 'xxh3'>,
): Uint8Array {
  const layout = layoutOf(range, plan);
  const start = new Uint8Array(layout.end);
  const view = viewOf(start);
  view.setUint32(HASH_BYTES, signPlanes, true);
  let at = 0;
  for (const [unit, size] of runSizes(lengths, layout.units).entries()) {
    view.setBigUint64(layout.hashesAt + HASH_BYTES * unit, xxh3(bytes.subarray(at, at + size)), true);
    at += size;
  }
  start.set(bytesOf(numbers), layout.numbersAt);
  start.set(bytesOf(lengths), layout.lengthsAt);
  view.setBigUint64(0, xxh3(start.subarray(HASH_BYTES)), true);
  return concatenate([start, bytes]);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Bytes of the first units of all tiles, of the second ones, and so on. */
function runSizes(lengths: Uint32Array, units: number): number[] {
  const sizes = Array<number>(units).fill(0);
  for (let i = 0; i < lengths.length; i++) sizes[i % units]! += lengths[i]!;
  return sizes;
}

/**
 * What is known of a range that is stored; undefined when its object does not exist.
 * @throws ChecksumError, FormatError when it is damaged
 */
export async function readRange(
  storage: BulkStorage,
  key: string,
  range: Pick<TileRangeOfUnit, 'tiles'>,
  plan: Pick<TensorPlan, 'coding'>,
  { xxh3 }: Pick<Kernels, 'xxh3'>,
  options: AbortOptions,
): Promise<RangeFacts | undefined> {
  const name = unitObject(key);
  const object = await storage.head(name, options);
  if (object === undefined) return undefined;
  const layout = layoutOf(range, plan);
  if (object.size < layout.end) throw wrongSize(name, layout.end, object.size);
  // A copy, whose address is aligned.
  const start = new Uint8Array(await storage.read(name, 0, layout.end, options));
  const view = viewOf(start);
  const expected = view.getBigUint64(0, true);
  const actual = xxh3(start.subarray(HASH_BYTES));
  if (actual !== expected)
    throw new ChecksumError('Cannot use an encoded range: wrong checksum', { name, expected, actual });
  const { buffer } = start;
  const lengths = new Uint32Array(buffer, layout.lengthsAt, (layout.end - layout.lengthsAt) / 4);
  let offset = layout.end;
  const runs = runSizes(lengths, layout.units).map((size, unit) => {
    const run = { offset, size, hash: view.getBigUint64(layout.hashesAt + HASH_BYTES * unit, true) };
    offset += size;
    return run;
  });
  if (object.size !== offset) throw wrongSize(name, offset, object.size);
  const signPlanes = view.getUint32(HASH_BYTES, true);
  const numbers = new Float64Array(buffer, layout.numbersAt, layout.numbers);
  return { numbers, lengths, signPlanes, runs };
}

function wrongSize(name: string, expected: number, actual: number): FormatError {
  return new FormatError('Cannot use an encoded range: wrong size', { name, expected, actual });
}

/**
 * The ranges of a tensor, all of which are encoded.
 * @throws SourceError, which is retryable, for one that is damaged or has gone
 */
export async function openRanges(
  storage: BulkStorage,
  keys: readonly string[],
  ranges: readonly TileRangeOfUnit[],
  plan: Pick<TensorPlan, 'coding'>,
  kernels: Pick<Kernels, 'xxh3'>,
  options: AbortOptions,
): Promise<readonly StoredRange[]> {
  const opened: StoredRange[] = [];
  let lost: SourceError | undefined;
  for (const [i, range] of ranges.entries()) {
    const key = keys[i]!;
    try {
      const found = await readRange(storage, key, range, plan, kernels, options);
      if (found !== undefined) opened.push({ ...found, key, firstTile: range.firstTile });
      else lost = await lostUnit(storage, key, undefined, options);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      lost = await lostUnit(storage, key, error, options);
    }
  }
  // All that are damaged have been deleted, and are encoded by one further run.
  if (lost !== undefined) throw lost;
  return opened;
}
