import { allocating } from '../checks/limits.js';
import { free } from './sharedMemory.js';

/** Smaller arrays cost little. */
const LEAST = 2 ** 16;

/** Memory serves arrays of at least this share of it, unless there is too much: what is not used of it counts as if it were. */
const MIN_USE = 0.5;

/**
 * Memory for large arrays, one after another: the system maps and clears the pages of new memory, and the engine collects garbage
 * for it, which together take longer than to fill it.
 */
export class ReusedMemory {
  readonly #most: number;
  readonly #create: (byteLength: number) => ArrayBufferLike;
  /** What came back last is at the end. */
  #free: ArrayBufferLike[] = [];
  /** Bytes of memory that is the caller's. */
  #taken = 0;

  /**
   * @param most bytes of all memory; more only as long as callers have more
   * @param create default: memory of this thread
   */
  constructor(most: number, create = (byteLength: number): ArrayBufferLike => new ArrayBuffer(byteLength)) {
    this.#most = most;
    this.#create = create;
  }

  /** Bytes to write to, not zeroed, at the beginning of memory that is the caller's until `give`. */
  take(byteLength: number): Uint8Array {
    if (byteLength < LEAST) return new Uint8Array(byteLength);
    const size = rounded(byteLength);
    const buffer = this.#takeFree(size) ?? allocating(() => this.#create(size));
    this.#taken += buffer.byteLength;
    return new Uint8Array(buffer, 0, byteLength);
  }

  /** Takes memory back, or what has replaced it: memory that went to another thread comes back as another object. */
  give(buffer: ArrayBufferLike): void {
    if (buffer.byteLength < LEAST) return;
    this.#taken -= buffer.byteLength;
    this.#free.push(buffer);
    this.#freeBeyond(this.#most);
  }

  /** The smallest that fits. Where there is none, what new memory would be too much with is freed. */
  #takeFree(size: number): ArrayBufferLike | undefined {
    const fitting = this.#free.filter(({ byteLength }) => byteLength >= size);
    const [smallest] = fitting.sort((a, b) => a.byteLength - b.byteLength);
    const isUsed = smallest !== undefined && size >= MIN_USE * smallest.byteLength;
    if (isUsed || (smallest !== undefined && this.#bytes + size > this.#most)) {
      this.#free.splice(this.#free.indexOf(smallest), 1);
      return smallest;
    }
    this.#freeBeyond(this.#most - size);
    return undefined;
  }

  get #bytes(): number {
    return this.#free.reduce((sum, { byteLength }) => sum + byteLength, this.#taken);
  }

  /** Frees what came back first, until there are at most so many bytes, or none are left that nobody has. */
  #freeBeyond(most: number): void {
    let bytes = this.#taken;
    const last = this.#free.findLastIndex(({ byteLength }) => {
      bytes += byteLength;
      return bytes > most;
    });
    free(this.#free.splice(0, last + 1));
  }
}

/** Sizes are rounded up to quarters of a power of two, so that memory serves arrays of nearly the same size. */
function rounded(byteLength: number): number {
  const grain = 2 ** Math.floor(Math.log2(byteLength) - 2);
  return Math.ceil(byteLength / grain) * grain;
}
