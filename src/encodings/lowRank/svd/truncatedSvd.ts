import { SeededRng } from '../../../kernels/gaussian/rng.js';
import type { LinearKernels } from '../../../kernels/linear/interface.js';
import { type Matrix, matrix, transpose } from '../../../kernels/linear/matrix.js';
import { orthogonalizeRows, skewRows } from './jacobi.js';
import { gram, product } from './products.js';
import { findRange, OVERSAMPLING } from './rangeFinder.js';
import { symmetricEigen } from './symmetricEigen.js';

/** The start of the random vectors; always the same, so that the same tensor gives the same factors. */
const SEED = 0x6a09e667f3bcc908n;

/**
 * Up to this smaller side n, or with a rank above this share of it, a full decomposition (7/3 n³ operations), which is
 * exact. Finding the range of noise takes half as long at 2048² and rank 64, and longer from a rank of about 100 on.
 */
const DENSE_SIZE = 2048;
const DENSE_SHARE = 0.06;

/** Singular values below this share of the largest are dropped: rounding the others to f32 changes more. */
const NOISE = 1e-7;

/** A ≈ Σ σ_k u_k v_kᵀ, the σ descending. */
export interface SingularTriplets {
  readonly sigma: Float64Array;
  /** Row k is u_k: sigma.length × rows of A. */
  readonly u: Float64Array;
  /** Row k is v_k: sigma.length × columns of A. */
  readonly v: Float64Array;
}

/**
 * The `rank` largest singular values of `a` and their vectors; fewer where `a` has fewer above 1e-7 of the largest. The
 * v (u for a wide matrix) are orthonormal and σ_k u_k = A v_k to rounding, so the sum is a projection of A for every
 * spectrum.
 *
 * Small matrices, and high ranks: the eigenvectors of the Gram matrix, exact. Otherwise a randomized range finder comes
 * first (see `findRange`). Jacobi rotations restore the accuracy of small singular values that the Gram matrix loses.
 */
export function truncatedSvd(kernels: LinearKernels, a: Matrix, rank: number): SingularTriplets {
  const rng = new SeededRng(SEED);
  // Never 0, because a start vector of one element must not vanish.
  const random = () => rng.nextF32() - 0.5 + 2 ** -26;
  if (a.rows >= a.cols) return svdOfTall(kernels, a, rank, random);
  const { sigma, u, v } = svdOfTall(kernels, transpose(a), rank, random);
  return { sigma, u: v, v: u };
}

function svdOfTall(kernels: LinearKernels, a: Matrix, rank: number, random: () => number): SingularTriplets {
  const { rows, cols } = a;
  const wanted = Math.min(rank, cols);
  if (wanted === 0) return { sigma: new Float64Array(0), u: new Float64Array(0), v: new Float64Array(0) };
  const dense = cols <= DENSE_SIZE || wanted + OVERSAMPLING > DENSE_SHARE * cols;
  const range = dense ? undefined : findRange(kernels, a, wanted, random);
  const image = range?.image ?? a;
  const count = Math.min(wanted, image.cols);
  const eigen = symmetricEigen(kernels, gram(kernels, image), image.cols, count, random);
  const weights = transpose(matrix(eigen.vectors, image.cols, count));
  const u = product(kernels, weights, transpose(image));
  const v = range === undefined ? contiguous(weights) : product(kernels, weights, transpose(range.basis));
  const dots = gram(kernels, transpose(matrix(u, count, rows)));
  const largest = largestOnDiagonal(dots, count);
  const skew = skewRows(dots, count, NOISE * NOISE * largest);
  orthogonalizeRows({ data: u, cols: rows }, { data: v, cols }, skew);
  return sortedTriplets(u, rows, v, cols, count);
}

/** Turns rows σ_k u_k into unit vectors, sorts by σ and drops the noise. */
function sortedTriplets(
  scaled: Float64Array,
  rows: number,
  basis: Float64Array,
  cols: number,
  count: number,
): SingularTriplets {
  const norms = Float64Array.from({ length: count }, (_, k) =>
    norm(scaled.subarray(k * rows, (k + 1) * rows)),
  );
  const order = Array.from(norms.keys()).sort((i, j) => norms[j]! - norms[i]!);
  const largest = norms[order[0]!] ?? 0;
  const kept = order.filter((k) => norms[k]! > NOISE * largest);
  const sigma = Float64Array.from(kept, (k) => norms[k]!);
  const u = new Float64Array(kept.length * rows);
  const v = new Float64Array(kept.length * cols);
  for (const [k, from] of kept.entries()) {
    for (let i = 0; i < rows; i++) u[k * rows + i] = scaled[from * rows + i]! / sigma[k]!;
    v.set(basis.subarray(from * cols, (from + 1) * cols), k * cols);
  }
  return { sigma, u, v };
}

function contiguous({ data, rows, cols, rowStride, colStride }: Matrix): Float64Array {
  const out = new Float64Array(rows * cols);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++, at++) out[at] = data[i * rowStride + j * colStride]!;
  }
  return out;
}

function largestOnDiagonal(a: Float64Array, n: number): number {
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, a[i * n + i]!);
  return largest;
}

function norm(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}
