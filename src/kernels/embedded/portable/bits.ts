/** Bit streams of the embedded encoding: the first bit is the lowest of the first byte. */

/** Reads past the end give zeros. Callers compare `position` with the length afterwards. */
export class BitReader {
  /** In bits. */
  position = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** At least the next 25 bits; the higher ones are undefined. */
  peek(): number {
    const bytes = this.#bytes;
    const i = this.position >>> 3;
    // Beyond the end an element is undefined, which the operators convert to 0.
    return (
      (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)) >>>
      (this.position & 7)
    );
  }

  /** The next `count` bits, 0 to 24 of them. */
  read(count: number): number {
    const value = this.peek() & ((1 << count) - 1);
    this.position += count;
    return value;
  }
}

export class BitWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;
  #pending = 0;
  #pendingBits = 0;

  /** Appends the low `count` bits, 0 to 24; those above must be zero. */
  write(value: number, count: number): void {
    this.#pending |= value << this.#pendingBits;
    this.#pendingBits += count;
    while (this.#pendingBits >= 8) this.#flushByte();
  }

  /** How many have been written. */
  get bits(): number {
    return 8 * this.#length + this.#pendingBits;
  }

  /** The written bytes; zeros fill the last one. The writer is finished then. */
  finish(): Uint8Array {
    if (this.#pendingBits > 0) this.#flushByte();
    return this.#bytes.subarray(0, this.#length);
  }

  #flushByte(): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = this.#pending;
    this.#pending >>>= 8;
    this.#pendingBits -= 8;
  }
}
