import { ArgumentError, TruncatedError } from '../src/errors.js';
import type { ByteRangeOptions } from '../src/source.js';

/**
 * Bytes that a source reads at a time: large enough to make the cost of calls negligible, small enough to hold many.
 */
export const CHUNK_SIZE = 65536;

export interface ByteRange {
  readonly start: number;
  /** One past the last byte; undefined for the end of the source while that is unknown. */
  readonly end: number | undefined;
}

/**
 * Checks the range of `stream`.
 * @throws ArgumentError unless 0 ≤ start ≤ end, all whole numbers
 */
export function checkRange({ start = 0, end }: ByteRangeOptions): ByteRange {
  checkOffset('start', start);
  if (end !== undefined) checkOffset('end', end);
  if (end !== undefined && end < start) {
    throw new ArgumentError('Cannot read the byte range: it ends before it starts', {
      expected: `at least ${start}`,
      actual: end,
    });
  }
  return { start, end };
}

/**
 * Checks the arguments of `read`.
 * @throws ArgumentError unless both are whole numbers and not negative
 */
export function checkRead(offset: number, length: number): void {
  checkOffset('offset', offset);
  checkOffset('length', length);
  checkOffset('offset + length', offset + length);
}

/** The error of a source of `size` bytes that was asked for byte `end - 1`. */
export function beyondEnd(end: number, size: number, name?: string): TruncatedError {
  return new TruncatedError('Cannot read the byte range: the source ends before', {
    name,
    expected: `${end} bytes`,
    actual: size,
  });
}

function checkOffset(what: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new ArgumentError(`Cannot read the byte range: invalid ${what}`, {
    expected: 'a whole number from 0',
    actual: value,
  });
}
