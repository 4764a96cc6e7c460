import type { PlaneHeader } from './format.js';
import { type Energies, energiesAfter, type MeasuredTile } from './measure.js';
import type { UnitSequence } from './unitSequence.js';

/** Similarity of the reconstruction from a prefix of units with the tensor. */
export interface UnitQuality {
  readonly cosine: number;
  readonly relativeError: number;
}

export const EXACT: UnitQuality = { cosine: 1, relativeError: 0 };

/** The quality of each prefix of units. */
export function unitQualities(
  tiles: readonly MeasuredTile[],
  planes: readonly PlaneHeader[],
  { passes, length }: UnitSequence,
): UnitQuality[] {
  const energy = tiles.reduce((sum, tile) => sum + tile.energy, 0);
  const before = tiles.map((tile): Energies => ({ square: 0, error: tile.energy }));
  const qualities = new Array<UnitQuality>(length);
  let square = 0;
  let error = energy;
  passes.forEach((pass, p) => {
    tiles.forEach((tile, i) => {
      const after = energiesAfter(pass, tile, planes);
      square += after.square - before[i]!.square;
      error = Math.max(0, error + (after.error - before[i]!.error));
      before[i] = after;
      qualities[p * tiles.length + i] = qualityOf({ square, error }, energy);
    });
  });
  if (length > 0) qualities[length - 1] = EXACT;
  return qualities;
}

/** @param energy ‖x‖² */
export function qualityOf({ square, error }: Energies, energy: number): UnitQuality {
  if (energy === 0) return EXACT;
  if (square <= 0) return { cosine: 0, relativeError: 1 };
  // ‖x − x̂‖² = ‖x‖² − 2⟨x, x̂⟩ + ‖x̂‖²
  const dot = (energy + square - error) / 2;
  return {
    cosine: Math.min(1, Math.max(0, dot / Math.sqrt(square * energy))),
    relativeError: Math.sqrt(error / energy),
  };
}
