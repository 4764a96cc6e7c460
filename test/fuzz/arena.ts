const GUARD = 64;
const CANARY = 0xa5;

/**
 * Memory of one run: the input and the outputs, each between canaries. Nothing may write outside the outputs.
 */
export class Arena {
  readonly input: Uint8Array;
  readonly #original: Uint8Array;
  readonly #guards: Uint8Array[] = [];

  /** @param skew where the input begins modulo 8: decoders must read from any address */
  constructor(input: Uint8Array, skew: number) {
    this.#original = input;
    this.input = this.#place(input.length, skew % 8);
    this.input.set(input);
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return this.#place(length, 0);
  }

  floats(length: number): Float32Array<ArrayBuffer> {
    const { buffer, byteOffset } = this.#place(4 * length, 0);
    return new Float32Array(buffer, byteOffset, length);
  }

  /** What is wrong: undefined if nothing is. */
  fault(): string | undefined {
    if (!this.#guards.every((guard) => guard.every((byte) => byte === CANARY))) {
      return 'something was written outside an output array, or outside the input';
    }
    if (Buffer.compare(this.input, this.#original) !== 0) return 'the input was changed';
    return undefined;
  }

  #place(length: number, skew: number): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(length + 2 * GUARD + 8).fill(CANARY);
    const start = GUARD + skew;
    this.#guards.push(whole.subarray(0, start), whole.subarray(start + length));
    return whole.subarray(start, start + length);
  }
}
