import { allocating } from '../checks/limits.js';

import { asBytes, type BytesLike } from './binary.js';

/**
 * Bytes that have arrived and have not been parsed. Chunks of any size go in; exact lengths come out, as a view
 * of the chunk when one chunk holds them (the usual case) and as one copy when they straddle chunks.
 */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  /** Index of the first chunk still in use; chunks before it are released in batches. */
  #head = 0;
  /** Bytes of the first chunk already taken. */
  #offset = 0;
  #length = 0;
  #position = 0;
  readonly #reuses: boolean;
  /** What straddled chunks last, if its memory is used again. */
  #straddling: Uint8Array = new Uint8Array(0);

  /** @param reuses what is taken is of use until the next `take` only: new memory for each costs more than copying */
  constructor(reuses = false) {
    this.#reuses = reuses;
  }

  /** Bytes waiting. */
  get length(): number {
    return this.#length;
  }

  /** Bytes taken or skipped so far: the place in the file where the next `take` begins. */
  get position(): number {
    return this.#position;
  }

  /** @throws ArgumentError for a chunk that is not bytes */
  push(input: BytesLike): void {
    const chunk = asBytes(input);
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next `length` bytes, or undefined (and nothing taken) while there are fewer. */
  take(length: number): Uint8Array | undefined {
    if (length > this.#length) return undefined;
    if (length === 0) return new Uint8Array(0);
    const first = this.#chunks[this.#head]!;
    if (first.length - this.#offset >= length) {
      const view = first.subarray(this.#offset, this.#offset + length);
      this.#advance(length);
      return view;
    }
    const bytes = this.#memory(length);
    for (let filled = 0; filled < length; ) {
      const chunk = this.#chunks[this.#head]!;
      // Small chunks are many: views of them would take as long as copying their bytes.
      const whole = this.#offset === 0 && chunk.length <= length - filled;
      const part = whole ? chunk : chunk.subarray(this.#offset, this.#offset + length - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#advance(part.length);
    }
    return bytes;
  }

  #memory(length: number): Uint8Array {
    if (!this.#reuses) return allocating(() => new Uint8Array(length));
    if (this.#straddling.length < length) this.#straddling = allocating(() => new Uint8Array(length));
    return this.#straddling.subarray(0, length);
  }

  /** A copy of the next `length` bytes, fewer if there are fewer; they stay in the queue. */
  peek(length: number): Uint8Array {
    const bytes = new Uint8Array(Math.min(length, this.#length));
    let offset = this.#offset;
    for (let filled = 0, i = this.#head; filled < bytes.length; i++) {
      const part = this.#chunks[i]!.subarray(offset, offset + bytes.length - filled);
      bytes.set(part, filled);
      filled += part.length;
      offset = 0;
    }
    return bytes;
  }

  /** Drops up to `length` bytes; returns how many it dropped. */
  skip(length: number): number {
    const dropped = Math.min(length, this.#length);
    for (let left = dropped; left > 0; ) {
      const part = Math.min(left, this.#chunks[this.#head]!.length - this.#offset);
      left -= part;
      this.#advance(part);
    }
    return dropped;
  }

  /** Steps over `length` bytes of the first chunk. */
  #advance(length: number): void {
    this.#offset += length;
    this.#length -= length;
    this.#position += length;
    if (this.#offset < this.#chunks[this.#head]!.length) return;
    this.#offset = 0;
    this.#head += 1;
    // Shifting the array at every chunk would make many small chunks cost quadratic time.
    if (this.#head >= 1024 || this.#head === this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
  }
}
