import { concatenate } from '../../src/bytes/binary.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import type { TensorLayout } from '../../src/encodings/embedded/fragmentLayout.js';
import type { TensorPlan } from '../../src/encodings/embedded/plan.js';
import { sizesOf } from '../../src/encodings/embedded/tileRange.js';
import { unitOfTile } from '../../src/encodings/embedded/unitSequence.js';
import { ChecksumError } from '../../src/errors.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { eachInOrder } from '../eachInOrder.js';
import { lostUnit } from '../lostUnit.js';
import type { BulkStorage } from '../storage/storage.js';
import { unitObject } from '../unitFile.js';
import type { StoredRange, StoredRun } from './rangeFile.js';

/** A fragment as bytes of the objects of ranges, but for units that it has parts of. */
export interface Payload {
  /** With what the fragment before has left of a unit. */
  readonly head: Uint8Array;
  readonly size: number;
  /** What follows the head. */
  readonly slices: readonly Slice[];
  /** What follows these: the part of a unit that the fragment ends with. */
  readonly tail: Uint8Array;
}

/** Units of tiles that follow each other in one range and pass: they do so in its object. */
interface Slice {
  /** Among the runs of the tensor, in the order of passes and, in a pass, of ranges. */
  readonly run: number;
  /** From the start of the run. */
  readonly start: number;
  readonly size: number;
}

/** The fragments of a tensor, in order. */
export function payloadsOf(
  plan: TensorPlan,
  { fragments, sequence }: TensorLayout,
  ranges: readonly StoredRange[],
): Payload[] {
  const { tiles, passes } = sequence;
  const { units } = sizesOf(plan);
  return fragments.map((fragment) => {
    const { from: left, to: tail = new Uint8Array(0) } = fragment;
    // Whole units.
    const first = fragment.first + (left === undefined ? 0 : 1);
    const end = fragment.end - (fragment.to === undefined ? 0 : 1);
    const slices: Slice[] = [];
    for (const [p, pass] of passes.entries()) {
      const from = Math.max(first - p * tiles, 0);
      const to = Math.min(end - p * tiles, tiles);
      if (from >= to) continue;
      const unit = unitOfTile(pass, plan.coding.depth);
      for (const [r, { firstTile, lengths }] of ranges.entries()) {
        const count = lengths.length / units;
        const [low, high] = [Math.max(from - firstTile, 0), Math.min(to - firstTile, count)];
        let before = 0;
        let size = 0;
        for (let tile = 0; tile < high; tile++) {
          if (tile < low) before += lengths[units * tile + unit]!;
          else size += lengths[units * tile + unit]!;
        }
        if (high > low && size > 0) slices.push({ run: p * ranges.length + r, start: before, size });
      }
    }
    const head = left === undefined ? fragment.head : concatenate([fragment.head, left]);
    const size = slices.reduce((sum, slice) => sum + slice.size, head.length + tail.length);
    return { head, slices, tail, size };
  });
}

/** Bytes of a payload, and where they are. */
export interface PayloadBytes {
  readonly bytes: Uint8Array;
  /** Among the objects of the unit, whose first one is its own. */
  readonly object: number;
  readonly offset: number;
}

/** Bytes of runs that are read before it is their turn. */
const READ_AHEAD = 2 ** 25;

interface Run extends StoredRun {
  readonly object: number;
  /** Of the object. */
  readonly key: string;
}

/** Reads payloads in order: each run of units is read once, and verified. */
export class PayloadReader {
  readonly #storage: BulkStorage;
  readonly #runs: readonly Run[];
  readonly #options: AbortOptions;
  readonly #read: AsyncGenerator<Uint8Array>;
  #taken = 0;
  /** The run that was taken last. */
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(
    storage: BulkStorage,
    ranges: readonly StoredRange[],
    { sequence }: TensorLayout,
    plan: TensorPlan,
    { xxh3 }: Pick<Kernels, 'xxh3'>,
    options: AbortOptions,
  ) {
    this.#storage = storage;
    this.#options = options;
    this.#runs = sequence.passes.flatMap((pass) =>
      ranges.map(({ key, runs }, r) => ({
        ...runs[unitOfTile(pass, plan.coding.depth)]!,
        object: r + 1,
        key,
      })),
    );
    const read = async ({ key, offset, size, hash }: Run, signal: AbortSignal) => {
      const bytes = await storage.read(unitObject(key), offset, size, { signal });
      const actual = xxh3(bytes);
      if (actual === hash) return bytes;
      const cause = new ChecksumError('Cannot use an encoded range: wrong checksum', {
        name: key,
        expected: hash,
        actual,
      });
      throw await lostUnit(storage, key, cause, { signal });
    };
    this.#read = eachInOrder(this.#runs, read, { most: READ_AHEAD, signal: options.signal });
  }

  /** What is between the head and the tail, in pieces. Payloads are read in order. */
  async *read({ slices }: Payload): AsyncGenerator<PayloadBytes> {
    for (const { run, start, size } of slices) {
      for (; this.#taken <= run; this.#taken++) this.#bytes = (await this.#read.next()).value as Uint8Array;
      const { object, offset } = this.#runs[run]!;
      yield { bytes: this.#bytes.subarray(start, start + size), object, offset: offset + start };
    }
  }

  /** Some bytes of a payload, in any order: of what they decide, nothing depends on whether they are damaged. */
  async sample({ head, slices, tail }: Payload, start: number, end: number): Promise<Uint8Array> {
    const pieces = [head.subarray(start, end)];
    let at = head.length;
    for (const slice of slices) {
      const [from, to] = [Math.max(start, at), Math.min(end, at + slice.size)];
      const { key, offset } = this.#runs[slice.run]!;
      const place = offset + slice.start + from - at;
      if (from < to) pieces.push(await this.#storage.read(unitObject(key), place, to - from, this.#options));
      at += slice.size;
    }
    pieces.push(tail.subarray(Math.max(start - at, 0), Math.max(end - at, 0)));
    return concatenate(pieces);
  }

  async close(): Promise<void> {
    await this.#read.return(undefined);
  }
}
