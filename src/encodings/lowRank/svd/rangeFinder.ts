import type { LinearKernels } from '../../../kernels/linear/interface.js';
import { type Matrix, matrix } from '../../../kernels/linear/matrix.js';
import type { Block } from './orthonormalize.js';
import { product } from './products.js';
import { RitzSpace } from './ritzSpace.js';
import { allowedResiduals, energySettled } from './settled.js';

/** Columns beyond the rank: the start then holds the wanted directions even of an adversarial spectrum. */
export const OVERSAMPLING = 8;

/**
 * A third of the vectors is improved at a time. Of noise, 4096² at rank 64, 0.9999 of the best energy took 690 products
 * with a vector so, 860 with all of them at a time, 630 with a quarter, which then took longer around the products.
 */
const PARTS = 3;
/** Columns of a panel of the products. */
const PANEL = 8;
/** Columns of the space, as a multiple of the wanted ones. With more, it grows no better, but slower. */
const CAPACITY = 4;

/** Far more than any spectrum has needed. The values only grow, so they settle. */
const MAX_ITERATIONS = 600;

/** Residuals from this share of the largest on are the first to go, in the order of the values. */
const URGENT = 0.1;

/** Residuals that are rounding, relative to the largest value, in products of f32 and of f64 that sum 4096 or less. */
const SINGLE_ROUNDING = 2 ** -20;
const ROUNDING = 2 ** -47;

/** A subspace of the rows of A: an orthonormal `basis` (n × cols) of it, and its `image` A·basis (m × cols). */
export interface Subspace {
  readonly basis: Matrix;
  readonly image: Matrix;
}

/**
 * A subspace that captures the `rank` largest singular values of `a` (m×n) as well as rounding and the tolerances of
 * settled.ts allow. It starts at random, as randomized range finders do (Halko, Martinsson and Tropp, "Finding
 * structure with randomness", 2011), and grows by the residuals of the approximate vectors, as in Davidson's method (E.
 * R. Davidson, 1975; without a preconditioner it is Lanczos' method, which makes the most of each product). The start
 * has as many columns as are wanted, so that vectors of equal values are all in it, but only some of them are improved
 * at a time: blocks of 72 columns for rank 64 took twice the products. Of all spectra that were tried, it captured
 * 0.9998 of the best energy or more: flat ones and falling ones, clusters of thousands of values, edges with and
 * without gaps.
 *
 * f32 products are enough to find the space of flat spectra. What they cannot settle, f64 ones do; and the image is
 * always made by them.
 */
export function findRange(kernels: LinearKernels, a: Matrix, rank: number, random: () => number): Subspace {
  const wanted = Math.min(rank + OVERSAMPLING, a.cols);
  const start = { data: Float64Array.from({ length: a.cols * wanted }, random), cols: wanted };
  const energies: number[] = [];
  const find = (from: Block, single: boolean) => improve(kernels, a, rank, from, single, energies, random);
  let { vectors, settled } = find(start, a.data instanceof Float32Array);
  if (!settled) ({ vectors, settled } = find(vectors, false));
  const basis = matrix(vectors.data, a.cols, vectors.cols);
  return { basis, image: matrix(product(kernels, a, basis), a.rows, vectors.cols) };
}

/**
 * The approximate vectors of as many values as `start` has columns.
 * @param energies what was captured after each iteration, which is added to
 * @returns whether they have settled; `single` may be the reason that they have not
 */
function improve(
  kernels: LinearKernels,
  a: Matrix,
  rank: number,
  start: Block,
  single: boolean,
  energies: number[],
  random: () => number,
): { vectors: Block; settled: boolean } {
  const wanted = start.cols;
  const step = Math.ceil(wanted / PARTS / PANEL) * PANEL;
  const capacity = Math.min(a.cols, CAPACITY * wanted);
  const rounding = (single ? SINGLE_ROUNDING : ROUNDING) * Math.sqrt(Math.max(1, a.rows / 4096));
  const space = new RitzSpace(kernels, a, capacity, single, random);
  let next = start;
  for (let iteration = 0; ; iteration++) {
    const added = space.extend(next);
    const pairs = space.decompose(wanted + step);
    const { values } = pairs;
    const least = values[Math.min(rank, values.length) - 1] ?? 0;
    // So steep that rounding would hide the last of them.
    if (single && !(least > rounding * values[0]!)) return { vectors: start, settled: false };
    energies.push(values.subarray(0, rank).reduce((total, value) => total + value, 0));
    let urgency = pairs.residuals.subarray(0, wanted);
    let settled = !single;
    let done = added === 0 || iteration === MAX_ITERATIONS;
    if (energySettled(energies)) {
      const norms = squaredNorms(space.residualsOf(pairs, Array.from(urgency.keys())));
      const allowed = allowedResiduals(values, rank);
      const floor = (rounding * values[0]!) ** 2;
      settled ||= norms.every((norm, k) => norm <= allowed[k]!);
      urgency = norms.map((norm, k) => (norm > Math.max(allowed[k]!, floor) ? 1 : 0));
      done ||= !urgency.includes(1);
    }
    if (done) return { vectors: space.vectorsOf(pairs, wanted), settled };
    next = space.residualsOf(pairs, mostUrgent(urgency, step));
    if (space.cols + next.cols > capacity && capacity < a.cols) space.restart(pairs);
  }
}

/** Which pairs are next, `count` at most. */
function mostUrgent(urgency: Float64Array, count: number): number[] {
  const least = URGENT * urgency.reduce((most, value) => Math.max(most, value), 0);
  const order = Array.from(urgency.keys()).sort((i, j) => urgency[j]! - urgency[i]! || i - j);
  const first = order.filter((k) => urgency[k]! >= least).sort((i, j) => i - j);
  const rest = order.filter((k) => urgency[k]! < least && urgency[k]! > 0);
  return [...first, ...rest].slice(0, count);
}

function squaredNorms({ data, cols }: Block): Float64Array {
  const norms = new Float64Array(cols);
  for (let at = 0; at < data.length; at += cols) {
    for (let j = 0; j < cols; j++) norms[j]! += data[at + j]! * data[at + j]!;
  }
  return norms;
}
