import type { LinearKernels } from '../../../kernels/linear/interface.js';
import { matrix, rowRange, transpose } from '../../../kernels/linear/matrix.js';
import { tridiagonalEigenvectors } from './inverseIteration.js';
import { product } from './products.js';
import { splitTridiagonal, type Tridiagonal, tridiagonalEigenvalues } from './tridiagonal.js';

/** Reflectors that are applied together, as matrix products. */
const REFLECTOR_BLOCK = 32;

export interface SymmetricEigen {
  /** Descending. */
  readonly values: Float64Array;
  /** n × values.length, row-major: column k belongs to value k. */
  readonly vectors: Float64Array;
}

/** All eigenvalues of a symmetric n×n matrix, descending; only its lower triangle is read, and destroyed. */
export function symmetricEigenvalues(kernels: LinearKernels, a: Float64Array, n: number): Float64Array {
  return tridiagonalEigenvalues(reduce(kernels, a, n)).reverse();
}

/**
 * The `count` largest eigenvalues of a symmetric n×n matrix and their vectors; only its lower triangle is read, and
 * destroyed. Reduction to tridiagonal form, its eigenvalues by QL, vectors by inverse iteration, and back: 4/3 n³ +
 * 2 n² · count operations.
 */
export function symmetricEigen(
  kernels: LinearKernels,
  a: Float64Array,
  n: number,
  count: number,
  random: () => number,
): SymmetricEigen {
  const parts = splitTridiagonal(reduce(kernels, a, n)).map(({ start, part }) => ({
    start,
    part,
    values: tridiagonalEigenvalues(part).reverse(),
  }));
  const all = parts.flatMap(({ values }, part) => Array.from(values, (value) => ({ value, part })));
  const largest = all.sort((x, y) => y.value - x.value).slice(0, count);
  const vectors = new Float64Array(n * count);
  for (const [index, { start, part, values }] of parts.entries()) {
    // Both lists are descending, so the columns taken from a part are those of its largest values, in order.
    const columns = largest.flatMap((entry, column) => (entry.part === index ? [column] : []));
    const found = tridiagonalEigenvectors(part, values.subarray(0, columns.length), random);
    for (const [k, column] of columns.entries()) {
      for (const [i, value] of found[k]!.entries()) vectors[(start + i) * count + column] = value;
    }
  }
  applyReflectors(kernels, a, n, vectors, count);
  return { values: Float64Array.from(largest, ({ value }) => value), vectors };
}

function reduce(kernels: LinearKernels, a: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const subdiagonal = new Float64Array(Math.max(n - 1, 0));
  kernels.tridiagonalize(a, n, diagonal, subdiagonal);
  return { diagonal, subdiagonal };
}

/**
 * vectors = H(n-1) ⋯ H(1) · vectors. The product of a block of reflectors is I − V T Vᵀ (Schreiber and Van Loan's
 * compact WY form, 1989), which makes it three matrix products.
 */
function applyReflectors(
  kernels: LinearKernels,
  a: Float64Array,
  n: number,
  vectors: Float64Array,
  count: number,
): void {
  for (let first = 1; first < n; first += REFLECTOR_BLOCK) {
    const block = Math.min(REFLECTOR_BLOCK, n - first);
    const length = first + block - 1;
    const v = new Float64Array(block * length);
    for (let k = 0; k < block; k++) {
      const row = (first + k) * n;
      v.set(a.subarray(row, row + first + k), k * length);
    }
    const rows = matrix(v, block, length);
    const target = rowRange(matrix(vectors, n, count), 0, length);
    const inner = product(kernels, rows, target);
    const t = matrix(compactFactor(kernels, v, block, length), block, block);
    const weighted = product(kernels, t, matrix(inner, block, count));
    const change = product(kernels, transpose(rows), matrix(weighted, block, count));
    for (let i = 0; i < change.length; i++) vectors[i]! -= change[i]!;
  }
}

/** T of I − V T Vᵀ = H(last) ⋯ H(first), row by row: each new reflector is on the left. */
function compactFactor(kernels: LinearKernels, v: Float64Array, block: number, length: number): Float64Array {
  const rows = matrix(v, block, length);
  const dots = product(kernels, rows, transpose(rows));
  const t = new Float64Array(block * block);
  for (let k = 0; k < block; k++) {
    t[k * block + k] = 1;
    for (let j = 0; j < k; j++) {
      let sum = 0;
      for (let i = j; i < k; i++) sum += dots[k * block + i]! * t[i * block + j]!;
      t[k * block + j] = -sum;
    }
  }
  return t;
}
