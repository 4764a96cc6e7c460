import { ABORT_RULES } from '../src/checks/abortOptions.js';
import { check, checkOptions, type Rules, wholeNumber } from '../src/checks/options.js';
import { TruncatedError } from '../src/errors.js';
import type { ByteRangeOptions, ReadOptions } from '../src/source.js';
import { typedArray } from '../src/tensor/tensor.js';

/**
 * Bytes that a source reads at a time: large enough to make the cost of calls negligible, small enough to hold many.
 */
export const CHUNK_SIZE = 65536;

export interface ByteRange {
  readonly start: number;
  /** One past the last byte; undefined for the end of the source while that is unknown. */
  readonly end: number | undefined;
}

const OFFSET = /* @__PURE__ */ wholeNumber();
const READ_RULES: Rules<ReadOptions> = { ...ABORT_RULES, into: /* @__PURE__ */ typedArray('Uint8Array') };
const RANGE_RULES: Rules<ByteRangeOptions> = { ...ABORT_RULES, start: OFFSET, end: OFFSET };

/**
 * Checks the range of `stream`.
 * @throws ArgumentError unless 0 ≤ start ≤ end, all whole numbers
 */
export function checkRange(options: ByteRangeOptions): ByteRange {
  const { start = 0, end } = checkOptions(options, RANGE_RULES);
  if (end !== undefined) check('end', end, wholeNumber(start));
  return { start, end };
}

/**
 * Checks the arguments of `read`.
 * @returns its options
 * @throws ArgumentError unless offset and length are whole numbers and not negative
 */
export function checkRead(offset: number, length: number, options: ReadOptions): ReadOptions {
  check('offset', offset, OFFSET);
  check('length', length, OFFSET);
  check('offset + length', offset + length, OFFSET);
  return checkOptions(options, READ_RULES);
}

/** The error of a source of `size` bytes that was asked for byte `end - 1`. */
export function beyondEnd(end: number, size: number, file?: string): TruncatedError {
  return new TruncatedError('Cannot read the byte range: the source ends before', {
    file,
    expected: `${end} bytes`,
    actual: size,
  });
}
