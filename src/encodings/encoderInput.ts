import { ArgumentError, UnsupportedError } from '../errors.js';
import { toFloat32 } from '../tensor/numbers.js';
import type { EncodeRequest } from './encoding.js';

/** Payloads count coefficients in a u32. */
const MAX_COEFFICIENTS = 2 ** 32 - 1;

/**
 * The numbers of the tensor to encode, rows × cols of them; the tensor's own array where it is F32.
 * @throws ArgumentError when the matrix does not have the tensor's size
 * @throws UnsupportedError when a u32 cannot count the elements
 */
export function numbersOf({ tensor, rows, cols }: EncodeRequest): Float32Array {
  if (rows * cols > MAX_COEFFICIENTS) {
    throw new UnsupportedError('too many elements for this encoding', {
      expected: `at most ${MAX_COEFFICIENTS}`,
      actual: rows * cols,
    });
  }
  const values = toFloat32(tensor);
  if (values.length === rows * cols) return values;
  throw new ArgumentError('elements of the tensor', { expected: rows * cols, actual: values.length });
}
