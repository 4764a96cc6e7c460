import type { EncodedTile } from '../../kernels/embedded/interface.js';
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
import { CENTROID_STEPS, GROUP } from '../../kernels/embedded/tile.js';
import type { PlaneHeader } from './streamHeader.js';
import type { Pass } from './unitSequence.js';

/** What is measured of a tile. */
export type MeasuredTile = Pick<EncodedTile, 'sums' | 'energy'>;

/** The sums of a plane over all tiles. */
export function sumsOf(tiles: readonly MeasuredTile[], plane: number): Float64Array {
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
 * The sums of a tile without weights that are not finite. The encoder took them for zeros, which are reconstructed by the
 * centroid in dense groups; but no number stands for them, and the quality is that of the finite weights.
 * @param places of these weights in the tile
 */
export function withoutExceptions(
  { sums, denseFrom }: Pick<EncodedTile, 'sums' | 'denseFrom'>,
  places: readonly number[],
): Float64Array {
  if (places.length === 0) return sums;
  const finite = sums.slice();
  for (const place of places) {
    const since = denseFrom[Math.floor(place / GROUP)]!;
    for (let plane = 0; SUMS * plane < finite.length; plane++) {
      const kind = plane < since ? UNKNOWN : plane === since ? FRESH_ZERO : ZERO;
      finite[SUMS * plane + kind + COUNT]! -= 1;
    }
  }
  return finite;
}

/** What a tile adds to ‖x̂‖² and to ‖x − x̂‖². */
export interface Energies {
  readonly square: number;
  readonly error: number;
}

/** The energies after a pass, from the sums: nothing is reconstructed. */
export function energiesAfter(
  pass: Pass,
  { sums, energy }: MeasuredTile,
  planes: readonly PlaneHeader[],
): Energies {
  if (pass.kind === 'remainder') return { square: energy, error: 0 };
  const { plane } = pass;
  // Not as a view: there is a call for each unit of a tensor.
  const at = SUMS * plane;
  const c = planes[plane]!.centroid / CENTROID_STEPS;
  const z = planes[plane]!.zeroCentroid / CENTROID_STEPS;
  const fresh = pass.kind === 'signs' ? z : 0;
  const squareStep = 4 ** (planes.length - 1 - plane);
  return {
    square:
      squareStep *
      (sums[at + SUM_Q_Q]! +
        2 * c * sums[at + SUM_Q]! +
        c * c * sums[at + SIGNIFICANT + COUNT]! +
        z * z * sums[at + ZERO + COUNT]! +
        fresh * fresh * sums[at + FRESH_ZERO + COUNT]!),
    error:
      squareStep *
      (errorAt(c, sums, at + SIGNIFICANT) +
        errorAt(z, sums, at + ZERO) +
        errorAt(fresh, sums, at + FRESH_ZERO) +
        errorAt(0, sums, at + UNKNOWN)),
  };
}

/** Σ (R − place)² */
function errorAt(place: number, sums: Float64Array, of: number): number {
  return sums[of + SUM_R_R]! - 2 * place * sums[of + SUM_R]! + place * place * sums[of + COUNT]!;
}
