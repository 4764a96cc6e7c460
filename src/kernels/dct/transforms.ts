import { ArgumentError } from '../../errors.js';
import { kernelLoader } from '../loadKernels.js';
import type { DctKernels } from './interface.js';
import { portableDct } from './portable.js';

export interface DctOptions {
  /** Where to write; may be the input. Default: a new array. */
  readonly out?: Float32Array;
  /** Default: the fastest once `loadKernels(['dct'])` has been called, before that the portable ones. */
  readonly kernels?: DctKernels | undefined;
}

/**
 * Orthonormal DCT-II of a vector: X_k = s_k Σ_j x_j cos(π(2j + 1)k / 2n), s_0 = sqrt(1/n), else sqrt(2/n).
 * Any length; O(n log n).
 * @throws ArgumentError when `out` has another length
 */
export function dct1d(data: Float32Array, options?: DctOptions): Float32Array {
  return dct2d(data, 1, data.length, options);
}

/** Orthonormal DCT-III of a vector: the inverse of {@link dct1d}. */
export function idct1d(data: Float32Array, options?: DctOptions): Float32Array {
  return idct2d(data, 1, data.length, options);
}

/**
 * Orthonormal DCT-II of the rows, then of the columns, of a row-major matrix. Any size; O(n log n).
 * @throws ArgumentError when `data` or `out` does not hold rows × cols values
 */
export function dct2d(
  data: Float32Array,
  rows: number,
  cols: number,
  { out = new Float32Array(data.length), kernels = fastest() }: DctOptions = {},
): Float32Array {
  checkLengths(data, rows, cols, out);
  kernels.dct2d(data, rows, cols, out);
  return out;
}

/** The inverse of {@link dct2d}. */
export function idct2d(
  data: Float32Array,
  rows: number,
  cols: number,
  { out = new Float32Array(data.length), kernels = fastest() }: DctOptions = {},
): Float32Array {
  checkLengths(data, rows, cols, out);
  kernels.idct2d(data, rows, cols, out);
  return out;
}

/** Only importers of this module load the portable kernels. */
function fastest(): DctKernels {
  return kernelLoader.loaded(['dct']) ?? portableDct;
}

function checkLengths(data: Float32Array, rows: number, cols: number, out: Float32Array): void {
  const expected = rows * cols;
  if (data.length !== expected)
    throw new ArgumentError('Cannot compute the DCT: wrong number of values', {
      expected,
      actual: data.length,
    });
  if (out.length !== expected)
    throw new ArgumentError('Cannot compute the DCT: wrong length of out', { expected, actual: out.length });
}
