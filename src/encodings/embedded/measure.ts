import type { TileSurvey } from '../../kernels/embedded/interface.js';
import { POPULATION } from '../../kernels/embedded/prefixCodes.js';
import {
  COUNT,
  FRESH_ZERO,
  SIGNIFICANT,
  SUM_Q,
  SUM_Q_Q,
  SUM_R,
  SUM_R_R,
  SUMS,
  UNKNOWN,
  ZERO,
} from '../../kernels/embedded/survey.js';
import { CENTROID_STEPS, GROUP, GROUP_BYTES } from '../../kernels/embedded/tile.js';
import type { PlaneHeader } from './format.js';
import type { Pass } from './unitSequence.js';

/** The sums of a plane over all tiles. */
export function sumsOf(tiles: readonly TileSurvey[], plane: number): Float64Array {
  const total = new Float64Array(SUMS);
  for (const { sums } of tiles) for (let k = 0; k < SUMS; k++) total[k]! += sums[SUMS * plane + k]!;
  return total;
}

/** The best position of weights in their intervals after a plane, in 1/256 of its step: their mean. */
export function centroids(sums: Float64Array): { centroid: number; zeroCentroid: number } {
  const mean = (sumR: number, count: number) =>
    count === 0 ? 0 : Math.min(CENTROID_STEPS - 1, Math.round((CENTROID_STEPS * sumR) / count));
  return {
    centroid: mean(sums[SIGNIFICANT + SUM_R]!, sums[SIGNIFICANT + COUNT]!),
    zeroCentroid: mean(
      sums[ZERO + SUM_R]! + sums[FRESH_ZERO + SUM_R]!,
      sums[ZERO + COUNT]! + sums[FRESH_ZERO + COUNT]!,
    ),
  };
}

/**
 * The sums of a tile without weights that are not finite. The survey took them for zeros, which are reconstructed by the
 * centroid in dense groups; but no number stands for them, and the quality is that of the finite weights.
 * @param places of these weights in the tile, ascending
 * @param threshold significant weights that make a group dense
 */
export function withoutExceptions(
  tile: TileSurvey,
  places: readonly number[],
  threshold: number,
): TileSurvey {
  if (places.length === 0) return tile;
  const sums = tile.sums.slice();
  const dense = new Map<number, number>();
  for (const place of places) {
    const group = Math.floor(place / GROUP);
    const since = dense.get(group) ?? denseSince(tile.planes, group, threshold);
    dense.set(group, since);
    for (let plane = 0; plane < tile.planes.length; plane++) {
      const kind = plane < since ? UNKNOWN : plane === since ? FRESH_ZERO : ZERO;
      sums[SUMS * plane + kind + COUNT]! -= 1;
    }
  }
  return { ...tile, sums };
}

/** The plane after which a group is dense; the number of planes when it never is. */
function denseSince(planes: readonly Uint8Array[], group: number, threshold: number): number {
  const significant = new Uint8Array(GROUP_BYTES);
  for (const [j, plane] of planes.entries()) {
    let count = 0;
    for (let i = 0; i < GROUP_BYTES; i++) {
      significant[i]! |= plane[GROUP_BYTES * group + i]!;
      count += POPULATION[significant[i]!]!;
    }
    if (count >= threshold) return j;
  }
  return planes.length;
}

/** What a tile adds to ‖x̂‖² and to ‖x − x̂‖². */
export interface Energies {
  readonly square: number;
  readonly error: number;
}

/** The energies after a pass, from the sums: nothing is reconstructed. */
export function energiesAfter(
  pass: Pass,
  { sums: all, energy }: TileSurvey,
  planes: readonly PlaneHeader[],
): Energies {
  if (pass.kind === 'remainder') return { square: energy, error: 0 };
  const { plane } = pass;
  const sums = all.subarray(SUMS * plane, SUMS * (plane + 1));
  const c = planes[plane]!.centroid / CENTROID_STEPS;
  const z = planes[plane]!.zeroCentroid / CENTROID_STEPS;
  const fresh = pass.kind === 'signs' ? z : 0;
  const squareStep = 4 ** (planes.length - 1 - plane);
  return {
    square:
      squareStep *
      (sums[SUM_Q_Q]! +
        2 * c * sums[SUM_Q]! +
        c * c * sums[SIGNIFICANT + COUNT]! +
        z * z * sums[ZERO + COUNT]! +
        fresh * fresh * sums[FRESH_ZERO + COUNT]!),
    error:
      squareStep *
      (errorAt(c, sums, SIGNIFICANT) +
        errorAt(z, sums, ZERO) +
        errorAt(fresh, sums, FRESH_ZERO) +
        errorAt(0, sums, UNKNOWN)),
  };
}

/** Σ (R − place)² */
function errorAt(place: number, sums: Float64Array, of: number): number {
  return sums[of + SUM_R_R]! - 2 * place * sums[of + SUM_R]! + place * place * sums[of + COUNT]!;
}
