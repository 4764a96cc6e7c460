import type { Steps } from '../../async/steps.js';

/** Products with Gaussian matrices, whose rows are drawn when they are needed. */
export interface GaussianKernels {
  /**
   * Visits the rows g_j of the Gaussian matrix of `seed`: normals of the format's generator (`SeededRng`), row by row.
   * With `data`, first products_j = Σ_i g_ji data_i; without it, `products` is input. Then
   * sums_i += Σ_j g_ji products_j, and squares_i += Σ_j g_ji² if `squares` is given. `products` has one element per
   * row, the other arrays one per column.
   */
  gaussianRows(
    seed: bigint,
    data: Float64Array | undefined,
    products: Float64Array,
    sums: Float64Array,
    squares?: Float64Array,
  ): void;
  /** The same in steps of some milliseconds. If they are left, the sums are those of the first rows. */
  gaussianRowsSteps(...args: Parameters<GaussianKernels['gaussianRows']>): Steps<void>;
}
