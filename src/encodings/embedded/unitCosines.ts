import { type Energies, energiesAfter, type MeasuredTile } from './measure.js';
import type { PlaneHeader } from './streamHeader.js';
import type { UnitSequence } from './unitSequence.js';

/** The cosine similarity with the tensor that the reconstruction from each prefix of units has. */
export function unitCosines(
  tiles: readonly MeasuredTile[],
  planes: readonly PlaneHeader[],
  { passes, length }: UnitSequence,
): number[] {
  const energy = tiles.reduce((sum, tile) => sum + tile.energy, 0);
  const before = tiles.map((tile): Energies => ({ square: 0, error: tile.energy }));
  const cosines = new Array<number>(length);
  let square = 0;
  let error = energy;
  // Not in callbacks, each of which an engine compiles apart.
  for (let p = 0; p < passes.length; p++) {
    for (let i = 0; i < tiles.length; i++) {
      const after = energiesAfter(passes[p]!, tiles[i]!, planes);
      square += after.square - before[i]!.square;
      error = Math.max(0, error + (after.error - before[i]!.error));
      before[i] = after;
      cosines[p * tiles.length + i] = cosineOf({ square, error }, energy);
    }
  }
  if (length > 0) cosines[length - 1] = 1;
  return cosines;
}

/** @param energy ‖x‖² */
export function cosineOf({ square, error }: Energies, energy: number): number {
  if (energy === 0) return 1;
  if (square <= 0) return 0;
  // ‖x − x̂‖² = ‖x‖² − 2⟨x, x̂⟩ + ‖x̂‖²
  const dot = (energy + square - error) / 2;
  return Math.min(1, Math.max(0, dot / Math.sqrt(square * energy)));
}
