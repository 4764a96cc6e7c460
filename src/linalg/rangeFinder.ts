import type { LinearKernels } from '../kernels/kernels.js';
import { type Matrix, matrix, transpose } from './matrix.js';
import { extendBasis } from './orthonormalize.js';
import { gram, product } from './products.js';
import { symmetricEigen, symmetricEigenvalues } from './symmetricEigen.js';

/** Columns beyond the rank: the block then holds the wanted directions even of an adversarial spectrum. */
export const OVERSAMPLING = 8;

/** Blocks that are kept: with more, orthogonalizing costs more than the products with the matrix. */
const MAX_BLOCKS = 8;

/** Far beyond what any spectrum was seen to take: the values only ever grow, so they settle. */
const MAX_ITERATIONS = 200;

/** What further iterations would still add to the captured energy, as a share of it. */
const ENERGY_TOLERANCE = 3e-4;

/**
 * What the last iteration has added, as a share. It guards against a fall that comes to a rest: a cluster of close values,
 * more than the rank, is found at once, but the largest within it slowly. With 1e-4, clusters a few thousandths wide were
 * left at 0.996 of the best energy; with this, at 0.9997. Noise takes its iterations by the tolerance above in any case.
 */
const GAIN_TOLERANCE = 2e-6;

/** Squared singular values with relative gaps up to this one form a group, of which only the common span matters. */
const GAP = 0.05;
/** Last change of a squared singular value, relative to the gap of its group: the squared error of the span before. */
const VECTOR_TOLERANCE = 1e-8;
/** Last change that is rounding, relative to the largest squared singular value. */
const ROUNDING = 1e-14;

/** A subspace of the rows of A: an orthonormal `basis` (n × cols) of it, and its `image` A·basis (m × cols). */
export interface Subspace {
  readonly basis: Matrix;
  readonly image: Matrix;
}

/**
 * A subspace that captures the `rank` largest singular values of `a` (m×n) as well as rounding and the tolerances
 * above allow: a randomized range finder with power iterations, re-orthonormalized at each (Halko, Martinsson and
 * Tropp, "Finding structure with randomness", 2011). All iterates are kept, not only the last (Halko, Martinsson,
 * Shkolnisky and Tygert, 2011; Musco and Musco, 2015), which takes the square root of the number of iterations on the
 * flat spectra that weights have. It stops when the squared singular values have settled.
 *
 * 4·m·n·(rank + 8) operations an iteration; 3 to 5 for decaying spectra, about 14 for noise, more for spectra whose top
 * is a cluster of more than rank + 8 close values. It captures 0.999 of the best energy or more.
 */
export function findRange(kernels: LinearKernels, a: Matrix, rank: number, random: () => number): Subspace {
  const block = Math.min(rank + OVERSAMPLING, a.cols);
  const capacity = Math.min(a.cols, MAX_BLOCKS * block);
  const basis = new Columns(a.cols, capacity);
  const image = new Columns(a.rows, capacity);
  const start = { data: Float64Array.from({ length: a.cols * block }, random), cols: block };
  let next = extendBasis(kernels, basis.view, start, random);
  const history: Float64Array[] = [];
  for (let iteration = 0; next.cols > 0 && iteration < MAX_ITERATIONS; iteration++) {
    const mapped = product(kernels, a, matrix(next.data, a.cols, next.cols));
    basis.append(next.data, next.cols);
    image.append(mapped, next.cols);
    history.unshift(symmetricEigenvalues(kernels, gram(kernels, image.view), image.cols));
    if (hasSettled(history, rank)) break;
    let last: Matrix = matrix(mapped, a.rows, next.cols);
    if (basis.cols + block > capacity && capacity < a.cols) {
      compress(kernels, basis, image, block, random);
      last = image.view;
      // The next gain is that of a first step again: how fast gains fall must be seen anew.
      history.length = 1;
    }
    const pulled = { data: product(kernels, transpose(a), last), cols: last.cols };
    next = extendBasis(kernels, basis.view, pulled, random);
  }
  return { basis: basis.view, image: image.view };
}

/** Whether the squared singular values, descending, of the last steps (latest first) say that more would not help. */
function hasSettled([now, before, earlier]: readonly Float64Array[], rank: number): boolean {
  if (now === undefined || before === undefined || earlier === undefined) return false;
  const energy = sum(now, rank);
  const gain = energy - sum(before, rank);
  const rate = gain / (sum(before, rank) - sum(earlier, rank));
  if (gain > GAIN_TOLERANCE * energy) return false;
  // The gains fall about geometrically.
  const expected = (gain * rate) / (1 - rate);
  if (gain > ROUNDING * energy && !(rate < 1 && expected <= ENERGY_TOLERANCE * energy)) return false;
  for (let first = 0; first < Math.min(rank, now.length); ) {
    let end = first + 1;
    while (end < now.length && now[end - 1]! - now[end]! <= GAP * now[end - 1]!) end++;
    // A group that goes on behind the rank has no span of its own in the result.
    if (end > rank) break;
    const gap = Math.min((now[first - 1] ?? Infinity) - now[first]!, now[end - 1]! - (now[end] ?? 0));
    const allowed = VECTOR_TOLERANCE * gap + ROUNDING * now[0]!;
    for (; first < end; first++) if (Math.abs(now[first]! - (before[first] ?? 0)) > allowed) return false;
  }
  return true;
}

/** Keeps the best `count` directions of the subspace. */
function compress(
  kernels: LinearKernels,
  basis: Columns,
  image: Columns,
  count: number,
  random: () => number,
): void {
  const { vectors } = symmetricEigen(kernels, gram(kernels, image.view), image.cols, count, random);
  const weights = matrix(vectors, image.cols, count);
  const [newBasis, newImage] = [product(kernels, basis.view, weights), product(kernels, image.view, weights)];
  basis.clear();
  basis.append(newBasis, count);
  image.clear();
  image.append(newImage, count);
}

/** A row-major matrix that columns are appended to, up to a capacity. */
class Columns {
  readonly #data: Float64Array;
  readonly #rows: number;
  readonly #capacity: number;
  #cols = 0;

  constructor(rows: number, capacity: number) {
    this.#data = new Float64Array(rows * capacity);
    this.#rows = rows;
    this.#capacity = capacity;
  }

  get cols(): number {
    return this.#cols;
  }

  get view(): Matrix {
    return { ...matrix(this.#data, this.#rows, this.#capacity), cols: this.#cols };
  }

  append(block: Float64Array, cols: number): void {
    for (let i = 0; i < this.#rows; i++) {
      this.#data.set(block.subarray(i * cols, (i + 1) * cols), i * this.#capacity + this.#cols);
    }
    this.#cols += cols;
  }

  clear(): void {
    this.#cols = 0;
  }
}

function sum(values: Float64Array, count: number): number {
  return values.subarray(0, count).reduce((total, value) => total + value, 0);
}
