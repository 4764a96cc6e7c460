import { allocating } from '../checks/limits.js';

/** Sizes are rounded up to this, so that memory serves arrays of nearly the same size. Smaller arrays cost little. */
const GRAIN = 2 ** 16;

/**
 * Memory for large arrays, one after another: the system maps and clears the pages of new memory, and the engine collects garbage
 * for it, which together take longer than to fill it.
 */
export class ReusedMemory {
  readonly #most: number;
  readonly #create: (byteLength: number) => ArrayBufferLike;
  /** What came back last is at the end. */
  #free: ArrayBufferLike[] = [];

  /**
   * @param most bytes that are kept for later
   * @param create default: memory of this thread
   */
  constructor(most: number, create = (byteLength: number): ArrayBufferLike => new ArrayBuffer(byteLength)) {
    this.#most = most;
    this.#create = create;
  }

  /** Bytes to write to, not zeroed, at the beginning of memory that is the caller's until `give`. */
  take(byteLength: number): Uint8Array {
    if (byteLength < GRAIN) return new Uint8Array(byteLength);
    const size = Math.ceil(byteLength / GRAIN) * GRAIN;
    const fitting = this.#free.filter((buffer) => buffer.byteLength >= size);
    const [smallest] = fitting.sort((a, b) => a.byteLength - b.byteLength);
    if (smallest === undefined) this.#keep(this.#most - size);
    else this.#free.splice(this.#free.indexOf(smallest), 1);
    const buffer = smallest ?? allocating(() => this.#create(size));
    return new Uint8Array(buffer, 0, byteLength);
  }

  /** Takes memory back, or what has replaced it: memory that went to another thread comes back as another object. */
  give(buffer: ArrayBufferLike): void {
    if (buffer.byteLength >= GRAIN) this.#free.push(buffer);
    this.#keep(this.#most);
  }

  /** Forgets what came back first, until the rest has at most this many bytes. */
  #keep(most: number): void {
    let bytes = 0;
    const first = this.#free.findLastIndex(({ byteLength }) => {
      bytes += byteLength;
      return bytes > most;
    });
    this.#free = this.#free.slice(first + 1);
  }
}
