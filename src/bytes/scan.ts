import { TruncatedError } from '../errors.js';

/**
 * Formats whose parts are far from each other, and mostly not needed: a scan asks for the bytes that it needs, wherever they
 * are, and skips the rest. Callers read them from a source, or have them in memory: {@link scanBytes}.
 */
export type Scan<T> = Generator<ByteSpan, T, Uint8Array>;

/** Bytes of a file. */
export interface ByteSpan {
  readonly offset: number;
  readonly length: number;
}

/** Bytes that are read together: what is needed next mostly follows. */
const WINDOW_SIZE = 65536;

/** The bytes of a file around the place where a scan is. */
export class ScanWindow {
  readonly size: number;
  #start = 0;
  #bytes = new Uint8Array(0);

  constructor(size: number) {
    this.size = size;
  }

  /**
   * The bytes from `offset` on: at least `length`, or all up to the end of the file.
   * @param length the caller has checked that it is no claim of the file
   */
  *from(offset: number, length: number): Scan<Uint8Array> {
    const needed = Math.min(length, this.size - offset);
    const at = offset - this.#start;
    if (at < 0 || at + needed > this.#bytes.length) {
      const wanted = Math.max(needed, Math.min(WINDOW_SIZE, this.size - offset));
      this.#bytes = new Uint8Array(yield { offset, length: wanted });
      this.#start = offset;
    }
    return this.#bytes.subarray(offset - this.#start);
  }

  /**
   * Exactly these bytes.
   * @throws TruncatedError when the file ends before
   */
  *take(offset: number, length: number): Scan<Uint8Array> {
    const end = offset + length;
    if (end > this.size) {
      throw new TruncatedError('Cannot read the file: it ends too early', {
        expected: `at least ${end} bytes`,
        actual: this.size,
      });
    }
    return (yield* this.from(offset, length)).subarray(0, length);
  }
}

/** Drives a scan of a file that is in memory. */
export function scanBytes<T>(bytes: Uint8Array, scan: Scan<T>): T {
  let step = scan.next();
  while (!step.done) {
    const { offset, length } = step.value;
    step = scan.next(bytes.subarray(offset, offset + length));
  }
  return step.value;
}
