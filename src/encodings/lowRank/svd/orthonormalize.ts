import type { LinearKernels } from '../../../kernels/linear/interface.js';
import { type Matrix, matrix, transpose } from '../../../kernels/linear/matrix.js';
import { gram, product } from './products.js';
import { symmetricEigen } from './symmetricEigen.js';

/** Directions of less energy than this share of the largest are rounding errors of the others. */
const NEGLIGIBLE_ENERGY = 1e-12;

/** A column outside the subspace stays a unit vector when it is projected again; rounding errors vanish. */
const REMAINING_ENERGY = 0.5;

/** A column that projecting shortens by this factor is in the subspace, up to rounding. */
const INSIDE = 1e-11;

/** n × cols, row-major, its columns orthonormal. */
export interface Block {
  readonly data: Float64Array;
  readonly cols: number;
}

/**
 * An orthonormal basis of the part that the columns of `block` (n×b) add to those of `basis`, which are orthonormal. It
 * has fewer than b columns if they add less. Projection and orthonormalization are done twice, which suffices
 * (Giraud, Langou and Rozložník, 2005).
 * @param outside the block is orthogonal to the basis but for rounding, as residuals are: projecting once is enough
 */
export function extendBasis(
  kernels: LinearKernels,
  basis: Matrix,
  block: Block,
  random: () => number,
  outside = false,
): Block {
  const n = basis.rows;
  const norms = columnNorms(block.data, n, block.cols);
  if (!outside) project(kernels, basis, block);
  const projected = columnNorms(block.data, n, block.cols);
  const scales = projected.map((norm, j) => (norm > INSIDE * norms[j]! ? 1 / norm : 0));
  for (let i = 0, at = 0; i < n; i++)
    for (let j = 0; j < block.cols; j++, at++) block.data[at]! *= scales[j]!;
  const once = orthonormalize(kernels, block, n, random, (largest) => NEGLIGIBLE_ENERGY * largest);
  project(kernels, basis, once);
  return orthonormalize(kernels, once, n, random, () => REMAINING_ENERGY);
}

/** block -= basis · (basisᵀ · block) */
function project(kernels: LinearKernels, basis: Matrix, { data, cols }: Block): void {
  const coordinates = product(kernels, transpose(basis), matrix(data, basis.rows, cols));
  const inside = product(kernels, basis, matrix(coordinates, basis.cols, cols));
  for (let i = 0; i < data.length; i++) data[i]! -= inside[i]!;
}

/**
 * Orthonormal columns with the span of those of the block, by the eigenvectors of its Gram matrix: "SVQB" of
 * Stathopoulos and Wu (2002), which needs only matrix products and gives the rank.
 * @param threshold energy from which on a direction counts, given the largest
 */
function orthonormalize(
  kernels: LinearKernels,
  { data, cols }: Block,
  n: number,
  random: () => number,
  threshold: (largest: number) => number,
): Block {
  if (cols === 0) return { data, cols };
  const columns = matrix(data, n, cols);
  const { values, vectors } = symmetricEigen(kernels, gram(kernels, columns), cols, cols, random);
  const least = threshold(values[0]!);
  const rank = values.findLastIndex((value) => value > least) + 1;
  const weights = new Float64Array(cols * rank);
  for (let j = 0; j < rank; j++) {
    const scale = 1 / Math.sqrt(values[j]!);
    for (let i = 0; i < cols; i++) weights[i * rank + j] = vectors[i * cols + j]! * scale;
  }
  return { data: product(kernels, columns, matrix(weights, cols, rank)), cols: rank };
}

function columnNorms(data: Float64Array, n: number, cols: number): Float64Array {
  const energies = new Float64Array(cols);
  for (let i = 0, at = 0; i < n; i++)
    for (let j = 0; j < cols; j++, at++) energies[j]! += data[at]! * data[at]!;
  return energies.map(Math.sqrt);
}
