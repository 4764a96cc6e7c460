import type { LinearKernels } from '../../../kernels/linear/interface.js';
import { colRange, type Matrix, transpose } from '../../../kernels/linear/matrix.js';

/** Rows of a Gram matrix computed at a time: few enough that little above the diagonal is computed needlessly. */
const GRAM_BLOCK = 96;

/** a·b as a new row-major array. */
export function product(kernels: LinearKernels, a: Matrix, b: Matrix): Float64Array {
  const out = new Float64Array(a.rows * b.cols);
  kernels.multiply(a, b, out);
  return out;
}

/** The lower triangle of aᵀ·a, n×n row-major for n columns; elements above the diagonal stay 0. */
export function gram(kernels: LinearKernels, a: Matrix): Float64Array {
  const n = a.cols;
  const result = new Float64Array(n * n);
  for (let from = 0; from < n; from += GRAM_BLOCK) {
    const to = Math.min(from + GRAM_BLOCK, n);
    const rows = product(kernels, transpose(colRange(a, from, to)), colRange(a, 0, to));
    for (let i = from; i < to; i++) {
      const row = (i - from) * to;
      result.set(rows.subarray(row, row + i + 1), i * n);
    }
  }
  return result;
}
