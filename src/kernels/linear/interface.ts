import type { Matrix } from './matrix.js';

/** Sums of products, from which low-rank tensors are reconstructed. */
export interface SumKernels {
  /**
   * `out` += a·b, row-major. The caller guarantees that a.cols = b.rows and that both are within their arrays. The
   * products of up to 256 columns of a are summed in double precision before they are rounded into `out`.
   */
  addProduct(a: Matrix, b: Matrix, out: Float32Array): void;
}

/**
 * Dense linear algebra in double precision. It is separate from the other kernels, because only encoding needs it, and
 * most programs with a network never encode.
 */
export interface LinearKernels {
  /**
   * `out` = a·b, row-major. `out` is neither operand and has room for at least a.rows × b.cols.
   * The caller guarantees that a.cols = b.rows and that both are within their arrays.
   */
  multiply(a: Matrix, b: Matrix, out: Float64Array): void;
  /**
   * The same, in single precision where that is faster: b is rounded to f32, and so are the sums. a is a matrix of f32
   * whose norm is finite in f32.
   */
  multiplySingle(a: Matrix, b: Matrix, out: Float64Array): void;
  /**
   * Reduces a symmetric n×n matrix A, of which only the lower triangle is read, to a tridiagonal T = Qᵀ A Q with
   * Q = H(n-1) ⋯ H(1) and H(i) = I - v vᵀ. Row i of `a` holds that v in columns 0 to i - 1 afterwards.
   * `diagonal` gets n values, `subdiagonal` n - 1.
   */
  tridiagonalize(a: Float64Array, n: number, diagonal: Float64Array, subdiagonal: Float64Array): void;
}
