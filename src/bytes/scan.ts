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

/** Bytes that are read at first, and after a long skip: what is needed next mostly follows. */
const FIRST_WINDOW = 2 ** 16;

/** Windows that follow each other double up to this: a scan that needs much takes few requests. */
const LARGEST_WINDOW = 2 ** 22;

/**
 * What is skipped by less than this is read with what is around it, which takes bytes, and the rest is not. Each request of a scan
 * waits for the one before, so that thousands of small skips would take minutes.
 */
const LEAST_SKIP = 2 ** 20;

/** Bytes in front of what a skip leads to that are read with it: what is looked at twice mostly ends there. */
const BEHIND = 2 ** 12;

interface Held {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** The bytes of a file around the place where a scan is. */
export class ScanWindow {
  readonly size: number;
  /** The last two windows, the newer one first: a message is looked at twice, before its contents and behind them. */
  #held: readonly Held[] = [];
  #length = FIRST_WINDOW;

  constructor(size: number) {
    this.size = size;
  }

  /**
   * The bytes from `offset` on: at least `length`, or all up to the end of the file.
   * @param length the caller has checked that it is no claim of the file
   */
  *from(offset: number, length: number): Scan<Uint8Array> {
    const end = Math.min(offset + length, this.size);
    const known = this.#held.find(({ start, bytes }) => start <= offset && end <= start + bytes.length);
    if (known !== undefined) return known.bytes.subarray(offset - known.start);
    const [last] = this.#held;
    const lastEnd = last === undefined ? 0 : last.start + last.bytes.length;
    const goesOn = last !== undefined && last.start <= offset && offset - lastEnd <= LEAST_SKIP;
    this.#length = goesOn ? Math.min(2 * this.#length, LARGEST_WINDOW) : FIRST_WINDOW;
    const start = Math.min(offset, Math.max(lastEnd, offset - BEHIND));
    const wanted = Math.max(end, Math.min(offset + this.#length, this.size)) - start;
    const bytes = new Uint8Array(yield { offset: start, length: wanted });
    this.#held = last === undefined ? [{ start, bytes }] : [{ start, bytes }, last];
    return bytes.subarray(offset - start);
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
