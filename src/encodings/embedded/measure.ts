import { CENTROID_STEPS } from '../../kernels/portable/embedded/placeWeights.js';
import type { StreamHeader } from './format.js';

/**
 * Sums over the weights of a tile after a plane, from which the centroids, and then the similarity of every
 * reconstruction, follow without reconstructing. |x| is in steps of the lowest plane, Q is what the planes so far
 * say, rounded down, in steps of this plane.
 */
export const SUMS = 9;
const COUNT = 0;
const SUM_Q = 1;
const SUM_Q_Q = 2;
const SUM_X_Q = 3;
const SUM_X = 4;
/** Weights with Q = 0 in groups that were dense before this plane… */
const ZERO_COUNT = 5;
const ZERO_SUM_X = 6;
/** …and in those that are since. */
const FRESH_COUNT = 7;
const FRESH_SUM_X = 8;

/**
 * @param xs |x| of the tile's weights
 * @param before which groups were dense when the plane came
 * @param after which are when its signs are in, too
 */
export function measurePlane(
  xs: Float32Array,
  magnitudes: Int32Array,
  shift: number,
  before: Uint8Array,
  after: Uint8Array,
  sums: Float64Array,
): void {
  let count = 0;
  let sumQ = 0;
  let sumQQ = 0;
  let sumXQ = 0;
  let sumX = 0;
  for (let group = 0; group < before.length; group++) {
    const end = Math.min(xs.length, 64 * (group + 1));
    let significant = 0;
    let zeroX = 0;
    for (let i = 64 * group; i < end; i++) {
      const q = magnitudes[i]! >> shift;
      const x = xs[i]!;
      if (q === 0) zeroX += x;
      else {
        significant += 1;
        sumQ += q;
        sumQQ += q * q;
        sumXQ += x * q;
        sumX += x;
      }
    }
    count += significant;
    if (after[group] === 0) continue;
    const offset = before[group] === 1 ? ZERO_COUNT : FRESH_COUNT;
    sums[offset]! += end - 64 * group - significant;
    sums[offset + 1]! += zeroX;
  }
  sums[COUNT] = count;
  sums[SUM_Q] = sumQ;
  sums[SUM_Q_Q] = sumQQ;
  sums[SUM_X_Q] = sumXQ;
  sums[SUM_X] = sumX;
}

/** Where weights lie best in their intervals after a plane whose step is `step`, in 1/256 of it. */
export function centroids(sums: Float64Array, step: number): { centroid: number; zeroCentroid: number } {
  const inside = (x: number, q: number, count: number) =>
    count === 0 ? 0 : Math.min(CENTROID_STEPS - 1, Math.round((CENTROID_STEPS * (x / step - q)) / count));
  return {
    centroid: inside(sums[SUM_X]!, sums[SUM_Q]!, sums[COUNT]!),
    zeroCentroid: inside(sums[ZERO_SUM_X]! + sums[FRESH_SUM_X]!, 0, sums[ZERO_COUNT]! + sums[FRESH_COUNT]!),
  };
}

/** What a tile adds to ⟨x, x̂⟩ and ‖x̂‖². */
export interface Products {
  readonly dot: number;
  readonly square: number;
}

/** The products after a plane, with or without the signs that follow it. */
export function productsOf(
  sums: Float64Array,
  { planes }: Pick<StreamHeader, 'planes'>,
  plane: number,
  signs: boolean,
): Products {
  const step = 2 ** (planes.length - 1 - plane);
  const c = planes[plane]!.centroid / CENTROID_STEPS;
  const z = planes[plane]!.zeroCentroid / CENTROID_STEPS;
  const zeros = sums[ZERO_COUNT]! + (signs ? sums[FRESH_COUNT]! : 0);
  const zeroX = sums[ZERO_SUM_X]! + (signs ? sums[FRESH_SUM_X]! : 0);
  return {
    dot: step * (sums[SUM_X_Q]! + c * sums[SUM_X]! + z * zeroX),
    square: step * step * (sums[SUM_Q_Q]! + 2 * c * sums[SUM_Q]! + c * c * sums[COUNT]! + z * z * zeros),
  };
}
