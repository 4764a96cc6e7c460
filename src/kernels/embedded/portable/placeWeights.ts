import type { Centroids, TileState } from '../interface.js';
import { gatherMagnitudes } from './magnitudes.js';

/** Steps that a centroid divides a plane's interval into. */
export const CENTROID_STEPS = 256;

export function placeWeights(
  planes: readonly Uint8Array[],
  { signs, dense }: TileState,
  { centroid, zeroCentroid }: Centroids,
  exponent: number,
  out: Float32Array,
): void {
  const magnitudes = new Int32Array(out.length);
  gatherMagnitudes(planes, magnitudes);
  const step = 2 ** (exponent - Math.log2(CENTROID_STEPS));
  for (let i = 0; i < out.length; i++) {
    const magnitude = magnitudes[i]!;
    const offset = magnitude > 0 ? centroid : dense[i >> 6] === 1 ? zeroCentroid : 0;
    // Rounded before it is scaled: as single-precision arithmetic does it.
    const value = Math.fround(magnitude * CENTROID_STEPS + offset) * step;
    out[i] = ((signs[i >> 3]! >> (i & 7)) & 1) === 1 ? -value : value;
  }
}
