import { check, checkOptions, having, type Rules, wholeNumber } from '../../checks/options.js';
import { checkOutput, typedArray } from '../../tensor/tensor.js';
import { kernelLoader } from '../loadKernels.js';
import type { DctKernels } from './interface.js';
import { portableDct } from './portable.js';

/** Where a transform writes, and by which kernels. */
export interface DctOptions {
  /** Where to write; may be the input. Default: a new array. */
  readonly out?: Float32Array | undefined;
  /** Default: the fastest once `loadKernels(['dct'])` has been called, before that the portable ones. */
  readonly kernels?: DctKernels | undefined;
}

const FLOATS = /* @__PURE__ */ typedArray<Float32Array>('Float32Array');

/** The length of `out` is compared with the data's. */
const RULES: Rules<DctOptions> = {
  out: FLOATS,
  kernels: /* @__PURE__ */ having<DctKernels>('dct2d', "kernels, such as await loadKernels(['dct'])"),
};

/**
 * Orthonormal DCT-II of a vector: X_k = s_k Σ_j x_j cos(π(2j + 1)k / 2n), s_0 = sqrt(1/n), else sqrt(2/n).
 * Any length; O(n log n).
 * @throws ArgumentError when `out` has another length
 */
export function dct1d(data: Float32Array, options?: DctOptions): Float32Array {
  check('data', data, FLOATS);
  return dct2d(data, 1, data.length, options);
}

/** Orthonormal DCT-III of a vector: the inverse of {@link dct1d}. */
export function idct1d(data: Float32Array, options?: DctOptions): Float32Array {
  check('data', data, FLOATS);
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
  options: DctOptions = {},
): Float32Array {
  const { out, kernels } = checked(data, rows, cols, options);
  kernels.dct2d(data, rows, cols, out);
  return out;
}

/** The inverse of {@link dct2d}. */
export function idct2d(
  data: Float32Array,
  rows: number,
  cols: number,
  options: DctOptions = {},
): Float32Array {
  const { out, kernels } = checked(data, rows, cols, options);
  kernels.idct2d(data, rows, cols, out);
  return out;
}

/** Only importers of this module load the portable kernels. */
function fastest(): DctKernels {
  return kernelLoader.loaded(['dct']) ?? portableDct;
}

/** @throws ArgumentError for values of other types, and for lengths that are not rows × cols */
function checked(
  data: Float32Array,
  rows: number,
  cols: number,
  options: DctOptions,
): { readonly out: Float32Array; readonly kernels: DctKernels } {
  check('rows', rows, wholeNumber());
  check('cols', cols, wholeNumber());
  check('data', data, typedArray('Float32Array', rows * cols));
  const { out = new Float32Array(data.length), kernels = fastest() } = checkOptions(options, RULES);
  checkOutput(out, data.length);
  return { out, kernels };
}
