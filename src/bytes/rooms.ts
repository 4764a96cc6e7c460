import { allocating } from '../checks/limits.js';
import { free } from './sharedMemory.js';

/** Smaller arrays cost little. */
const LEAST = 2 ** 16;

/**
 * Reused memory that the engine frees when it likes, which is what it does with shared memory: none is freed before the last use.
 * Rooms have one size, so that each serves any array, and the system gives them pages as far as they are used.
 */
export class Rooms {
  readonly #size: number;
  readonly #create: (byteLength: number) => ArrayBufferLike;
  #free: ArrayBufferLike[] = [];
  /** How far each has been used. */
  readonly #used = new WeakMap<ArrayBufferLike, number>();

  /** @param size the most bytes that are taken together, but for exceptions */
  constructor(size: number, create: (byteLength: number) => ArrayBufferLike) {
    this.#size = size;
    this.#create = create;
  }

  /** Bytes to write to, not zeroed, at the beginning of memory that is the caller's until `give`. */
  take(byteLength: number): Uint8Array {
    if (byteLength < LEAST) return new Uint8Array(byteLength);
    const buffer = this.#takeFree(byteLength) ?? this.#make(byteLength);
    this.#used.set(buffer, Math.max(byteLength, this.#used.get(buffer) ?? 0));
    return new Uint8Array(buffer, 0, byteLength);
  }

  /** Takes memory back, or what has replaced it: memory that went to another thread comes back as another object. */
  give(buffer: ArrayBufferLike): void {
    if (buffer.byteLength < LEAST) return;
    if (!this.#used.has(buffer)) this.#used.set(buffer, buffer.byteLength);
    this.#free.push(buffer);
  }

  /** Beside each exception, smaller ones would stay: those that nobody has are freed, as far as the engine lets us. */
  #make(byteLength: number): ArrayBufferLike {
    if (byteLength > this.#size) {
      const exceptions = this.#free.filter((buffer) => buffer.byteLength > this.#size);
      this.#free = this.#free.filter((buffer) => buffer.byteLength <= this.#size);
      free(exceptions);
    }
    return allocating(() => this.#create(Math.max(this.#size, byteLength)));
  }

  /** The one that has been used the least of those that have been used so far before; else the one that has been used the most. */
  #takeFree(byteLength: number): ArrayBufferLike | undefined {
    const usedOf = (buffer: ArrayBufferLike) => this.#used.get(buffer)!;
    const fitting = this.#free
      .filter((buffer) => buffer.byteLength >= byteLength)
      .sort((a, b) => usedOf(a) - usedOf(b));
    const found = fitting.find((buffer) => usedOf(buffer) >= byteLength) ?? fitting.at(-1);
    if (found !== undefined) this.#free.splice(this.#free.indexOf(found), 1);
    return found;
  }
}
