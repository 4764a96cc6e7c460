import { LimitError, UnsupportedError } from '../../errors.js';
import type { EncodeRequest } from '../encoding.js';

/** Up to this length, rows and columns of any length are transformed: the tables of longer ones are arrays that no engine has. */
const ANY_LENGTH = 2 ** 24;

/** The largest prime factors of longer ones: the wasm kernels transform these without a convolution of twice the length. */
const LARGEST_FACTOR = { wasm: 97, portable: 2 };

/**
 * What `transform` gives, which transforms the rows and columns of a tensor to encode.
 * @throws UnsupportedError where they are too long for that: before half a minute of computing tables
 */
export function transformed<T>({ rows, cols, kernels }: EncodeRequest, transform: () => T): T {
  const longest = Math.max(rows, cols);
  if (longest > ANY_LENGTH && largestFactor(longest) > LARGEST_FACTOR[kernels.implementation]) {
    throw tooLong(longest);
  }
  try {
    return transform();
  } catch (error) {
    throw error instanceof LimitError ? tooLong(longest, error) : error;
  }
}

function tooLong(actual: number, cause?: LimitError): UnsupportedError {
  return new UnsupportedError(
    'Cannot encode the tensor: its rows or columns are too long to be transformed; use the encoding "embedded" or "low-rank", or another shape',
    { expected: `at most ${ANY_LENGTH} numbers, or a power of two that the memory holds`, actual, cause },
  );
}

function largestFactor(size: number): number {
  let rest = size;
  let factor = 2;
  while (factor * factor <= rest) {
    if (rest % factor === 0) rest /= factor;
    else factor += 1;
  }
  return rest;
}
