import type { LinearKernels } from '../../../kernels/linear/interface.js';
import { colRange, type Matrix, matrix, transpose } from '../../../kernels/linear/matrix.js';
import { type Block, extendBasis } from './orthonormalize.js';
import { product } from './products.js';
import { symmetricEigen } from './symmetricEigen.js';

/** Approximate eigenvalues of AᵀA, descending, with their vectors v. */
export interface RitzPairs {
  readonly values: Float64Array;
  /** A column for each: the coordinates of v in the basis. */
  readonly vectors: Matrix;
  /** ‖AᵀA v − λ v‖² for each, but for rounding errors of 1e-16 λ² and more. */
  readonly residuals: Float64Array;
}

/**
 * A growing space of rows of A (m×n), by an orthonormal basis V of it, and the Rayleigh-Ritz method for AᵀA in it. Keeps V
 * and AᵀA V: no product with A is made twice.
 */
export class RitzSpace {
  readonly #kernels: LinearKernels;
  readonly #a: Matrix;
  readonly #single: boolean;
  readonly #random: () => number;
  readonly #basis: Columns;
  readonly #image: Columns;
  /** VᵀAᵀA V and its square VᵀAᵀA AᵀA V, capacity × capacity, of which rows are filled up to the diagonal. */
  readonly #first: Float64Array;
  readonly #second: Float64Array;

  /** @param single multiply by A, of f32, in single precision */
  constructor(kernels: LinearKernels, a: Matrix, capacity: number, single: boolean, random: () => number) {
    this.#kernels = kernels;
    this.#a = a;
    this.#single = single;
    this.#random = random;
    this.#basis = new Columns(a.cols, capacity);
    this.#image = new Columns(a.cols, capacity);
    this.#first = new Float64Array(capacity * capacity);
    this.#second = new Float64Array(capacity * capacity);
  }

  get cols(): number {
    return this.#basis.cols;
  }

  /** Adds what residuals, or any block at the start, add to the basis, and says how many columns that are. */
  extend(block: Block): number {
    const { data, cols } = extendBasis(this.#kernels, this.#basis.view, block, this.#random, true);
    if (cols === 0) return 0;
    const before = this.cols;
    const image = this.#apply(matrix(data, this.#a.cols, cols));
    this.#basis.append(data, cols);
    this.#image.append(image, cols);
    const added = matrix(image, this.#a.cols, cols);
    this.#setRows(this.#first, before, product(this.#kernels, transpose(this.#basis.view), added), cols);
    this.#setRows(this.#second, before, product(this.#kernels, transpose(this.#image.view), added), cols);
    return cols;
  }

  /** The pairs of the `count` largest values. */
  decompose(count: number): RitzPairs {
    const n = this.cols;
    const first = symmetric(this.#first, n, this.#basis.capacity);
    const { values, vectors } = symmetricEigen(this.#kernels, first, n, Math.min(count, n), this.#random);
    const weights = matrix(vectors, n, values.length);
    const second = matrix(symmetric(this.#second, n, this.#basis.capacity), n, n);
    const halves = product(this.#kernels, second, weights);
    const residuals = values.map((value, k) => {
      let square = 0;
      for (let at = k; at < halves.length; at += values.length) square += vectors[at]! * halves[at]!;
      return Math.max(0, square - value * value);
    });
    return { values, vectors: weights, residuals };
  }

  /** The vectors of the first pairs, n × count. */
  vectorsOf({ vectors }: RitzPairs, count: number): Block {
    const cols = Math.min(count, vectors.cols);
    return { data: product(this.#kernels, this.#basis.view, colRange(vectors, 0, cols)), cols };
  }

  /** AᵀA v − λ v of the given pairs, one per column. */
  residualsOf({ values, vectors }: RitzPairs, pairs: readonly number[]): Block {
    const cols = pairs.length;
    const weights = new Float64Array(vectors.rows * cols);
    const scaled = new Float64Array(vectors.rows * cols);
    for (let i = 0, at = 0; i < vectors.rows; i++) {
      for (const k of pairs) {
        weights[at] = vectors.data[i * vectors.rowStride + k]!;
        scaled[at] = weights[at]! * values[k]!;
        at++;
      }
    }
    const data = product(this.#kernels, this.#image.view, matrix(weights, vectors.rows, cols));
    const along = product(this.#kernels, this.#basis.view, matrix(scaled, vectors.rows, cols));
    for (let i = 0; i < data.length; i++) data[i]! -= along[i]!;
    return { data, cols };
  }

  /** Keeps only the space of these pairs. */
  restart({ values, vectors }: RitzPairs): void {
    const cols = values.length;
    const second = matrix(symmetric(this.#second, this.cols, this.#basis.capacity), this.cols, this.cols);
    const halves = matrix(product(this.#kernels, second, vectors), this.cols, cols);
    const turned = product(this.#kernels, transpose(vectors), halves);
    const image = product(this.#kernels, this.#image.view, vectors);
    this.#basis.replace(product(this.#kernels, this.#basis.view, vectors), cols);
    this.#image.replace(image, cols);
    const diagonal = new Float64Array(cols * cols);
    for (let k = 0; k < cols; k++) diagonal[k * cols + k] = values[k]!;
    this.#setRows(this.#first, 0, diagonal, cols);
    this.#setRows(this.#second, 0, turned, cols);
  }

  /** AᵀA x */
  #apply(x: Matrix): Float64Array {
    const mapped = this.#multiply(this.#a, x);
    return this.#multiply(transpose(this.#a), matrix(mapped, this.#a.rows, x.cols));
  }

  #multiply(a: Matrix, b: Matrix): Float64Array {
    if (!this.#single) return product(this.#kernels, a, b);
    const out = new Float64Array(a.rows * b.cols);
    this.#kernels.multiplySingle(a, b, out);
    return out;
  }

  /** Sets the last `count` rows, from `first` on, to the columns of `values`. */
  #setRows(rows: Float64Array, first: number, values: Float64Array, count: number): void {
    for (let i = 0, at = 0; i < this.cols; i++) {
      for (let k = 0; k < count; k++, at++) rows[(first + k) * this.#basis.capacity + i] = values[at]!;
    }
  }
}

/** n × n from rows that are filled up to the diagonal. */
function symmetric(rows: Float64Array, n: number, stride: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) out[i * n + j] = out[j * n + i] = rows[i * stride + j]!;
  }
  return out;
}

/** A row-major matrix that columns are appended to, up to a capacity. */
class Columns {
  readonly capacity: number;
  readonly #data: Float64Array;
  readonly #rows: number;
  #cols = 0;

  constructor(rows: number, capacity: number) {
    this.#data = new Float64Array(rows * capacity);
    this.#rows = rows;
    this.capacity = capacity;
  }

  get cols(): number {
    return this.#cols;
  }

  get view(): Matrix {
    return { ...matrix(this.#data, this.#rows, this.capacity), cols: this.#cols };
  }

  append(block: Float64Array, cols: number): void {
    for (let i = 0; i < this.#rows; i++) {
      this.#data.set(block.subarray(i * cols, (i + 1) * cols), i * this.capacity + this.#cols);
    }
    this.#cols += cols;
  }

  /** Replaces all columns by these. */
  replace(block: Float64Array, cols: number): void {
    this.#cols = 0;
    this.append(block, cols);
  }
}
