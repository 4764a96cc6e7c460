import { Rooms } from '../../src/bytes/rooms.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import type { Budget } from '../../src/checks/limits.js';
import { withPlace } from '../../src/errors/placed.js';
import { reconstructStored } from '../../src/holotensor/tasks.js';
import { elementCount } from '../../src/tensor/dtype.js';
import type { Bound } from '../../workers/bound.js';
import { newBuffer } from '../../workers/buffers.js';
import type { WorkerPool } from '../../workers/pool.js';
import { type OpenedPieces, placeOfTensor } from '../inputs/content.js';
import {
  bytesOf,
  type ChosenTensor,
  checkSizes,
  decodeStored,
  readPiece,
  readPieces,
} from './choosePieces.js';

/**
 * Bytes of a part: finding its units among all takes little beside decoding them, and memory for it little beside what a thread
 * needs anyway.
 */
const PART_BYTES = 2 ** 24;

export interface DecodePartOptions extends AbortOptions {
  /** Of all tensors that are decoded together. */
  readonly budget: Budget;
  readonly pool: WorkerPool | undefined;
  readonly memory: PartsMemory;
}

/** Memory to be used again. */
export interface PartsMemory {
  /** For the pieces of tensors in parts. */
  readonly pieces: Rooms;
  /** For what is decoded, which is to be given back to it. */
  readonly parts: Rooms;
}

/** A part of a tensor's elements. */
export interface TensorPart {
  /** Where it begins in the bytes of the tensor. */
  readonly offset: number;
  readonly byteLength: number;
  /**
   * Its bytes. Parts of a tensor begin in their order, and may go on at the same time. Where the encoding has no ranges, the first
   * one gives the whole tensor, and the others no bytes, but not before: what is under way counts as it is in memory.
   * @throws as `decodeChosen`
   */
  decode(options: DecodePartOptions): Promise<Uint8Array>;
}

/**
 * The parts that follow each other in a tensor. They share its pieces, which are in memory from the first part to the last: so a
 * large tensor takes memory for its pieces and for the parts under way, and all threads work at it.
 */
export function tensorParts(chosen: ChosenTensor): TensorPart[] {
  const { byteLength } = chosen.tensor;
  const count = isOnePart(chosen) ? 1 : Math.max(1, Math.ceil(byteLength / PART_BYTES));
  const parts = new PartsOfTensor(chosen, count);
  return Array.from({ length: count }, (_, i) => {
    const offset = i * PART_BYTES;
    const size = count === 1 ? byteLength : Math.min(PART_BYTES, byteLength - offset);
    return { offset, byteLength: size, decode: (options) => parts.decode(offset, size, options) };
  });
}

function isOnePart({ tensor, pieces }: ChosenTensor): boolean {
  return tensor.openPieces === undefined && pieces.length > 0;
}

/** Pieces of a tensor in memory. */
interface StoredPieces {
  /** Where they are. */
  readonly room: Uint8Array;
  readonly opened: OpenedPieces;
}

class PartsOfTensor {
  readonly #chosen: ChosenTensor;
  /** Those that have not been decoded. */
  #left: number;
  #stored: Promise<StoredPieces> | undefined;
  /** The first part. */
  #first: Promise<Uint8Array> | undefined;

  constructor(chosen: ChosenTensor, count: number) {
    this.#chosen = chosen;
    this.#left = count;
  }

  decode(offset: number, size: number, options: DecodePartOptions): Promise<Uint8Array> {
    return withPlace(placeOfTensor(this.#chosen.tensor), async () => {
      const { budget, memory } = options;
      if (this.#chosen.pieces.length === 0) {
        if (offset === 0) checkSizes(this.#chosen, budget);
        budget.spend({ bytes: size, steps: 0 });
        return memory.parts.take(size).fill(0);
      }
      if (this.#chosen.tensor.openPieces === undefined) return this.#decodeWhole(size, options);
      this.#stored ??= this.#open(options);
      const stored = await this.#stored;
      const bytes = await this.#decodePart(stored, offset, size, options);
      this.#left -= 1;
      if (this.#left === 0) {
        this.#stored = undefined;
        memory.pieces.give(stored.room.buffer);
      }
      return bytes;
    });
  }

  /** A small tensor, or one whose piece is its elements. */
  async #decodeWhole(size: number, options: DecodePartOptions): Promise<Uint8Array> {
    const { pieces: planned } = this.#chosen;
    const { budget, memory, signal } = options;
    checkSizes(this.#chosen, budget);
    const room = memory.parts.take(bytesOf(planned));
    const pieces = await readPieces(planned, { signal }, readPiece, room);
    const bytes = await decodeStored(this.#chosen, pieces, options);
    if (bytes.buffer === room.buffer) return bytes;
    memory.parts.give(room.buffer);
    const out = memory.parts.take(size);
    out.set(bytes);
    return out;
  }

  async #open({ budget, pool, memory, signal }: DecodePartOptions): Promise<StoredPieces> {
    const { tensor, pieces: planned } = this.#chosen;
    checkSizes(this.#chosen, budget);
    const room = memory.pieces.take(bytesOf(planned));
    const pieces = await readPieces(planned, { signal }, readPiece, room);
    return {
      room,
      opened: await tensor.openPieces!(pieces, { budget, by: pool ?? reconstructStored, signal }),
    };
  }

  async #decodePart(
    { opened }: StoredPieces,
    offset: number,
    size: number,
    { memory, signal }: DecodePartOptions,
  ): Promise<Uint8Array> {
    const { byteLength, shape } = this.#chosen.tensor;
    const perByte = elementCount(shape) / byteLength;
    const isRange = opened.rangeStep !== undefined && (PART_BYTES * perByte) % opened.rangeStep === 0;
    if (!isRange && offset > 0) {
      await this.#first;
      return new Uint8Array(0);
    }
    const range = isRange ? { start: offset * perByte, end: (offset + size) * perByte } : undefined;
    const decoded = opened.decode(range, { signal, out: memory.parts.take(isRange ? size : byteLength) });
    if (offset === 0) this.#first = decoded;
    return decoded;
  }
}

/** How many parts may be under way: those that keep the threads of a pool busy, and one more, which is read meanwhile. */
export function boundOfParts(tensors: readonly ChosenTensor[], pool: WorkerPool | undefined) {
  const { size = 0, capacity = 1 } = pool ?? {};
  const of = ({ byteLength }: Pick<TensorPart, 'byteLength'>) => byteLength;
  const most = Math.max((size + 1) * largestPart(tensors), (capacity + 1) * PART_BYTES);
  return { items: capacity + 1, weight: { most, of } } satisfies Bound<TensorPart>;
}

/** Memory for the parts that are under way, and for the pieces of the tensors that they are of: seldom more than two. */
export function memoryForParts(tensors: readonly ChosenTensor[], pool: WorkerPool | undefined): PartsMemory {
  const create = pool === undefined ? (size: number) => new ArrayBuffer(size) : newBuffer;
  const stored = largestOf(tensors.map(({ pieces }) => bytesOf(pieces)));
  return { pieces: new Rooms(stored, create), parts: new Rooms(largestPart(tensors), create) };
}

function largestPart(tensors: readonly ChosenTensor[]): number {
  const sizes = tensors.map((chosen) => {
    const { byteLength } = chosen.tensor;
    return isOnePart(chosen) ? byteLength : Math.min(PART_BYTES, byteLength);
  });
  return largestOf(sizes);
}

function largestOf(sizes: readonly number[]): number {
  return sizes.reduce((most, size) => Math.max(most, size), 0);
}
