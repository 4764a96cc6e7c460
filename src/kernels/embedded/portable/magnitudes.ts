import type { Place, TileState } from '../interface.js';
import { CENTROID_STEPS } from '../tile.js';

/**
 * Converts between planes and magnitudes: bit `depth - 1 - j` of a weight's magnitude is its bit in plane j, so plane 0
 * holds the highest bit.
 */

/** The magnitudes from the first planes of a tile, rounded down. */
export function gatherMagnitudes(planes: readonly Uint8Array[], out: Int32Array): void {
  out.fill(0);
  for (const plane of planes) {
    for (let i = 0; i < out.length; i++) {
      out[i] = (out[i]! << 1) | ((plane[i >> 3]! >> (i & 7)) & 1);
    }
  }
}

/** Fills the planes of a tile with the bits of its magnitudes. */
export function scatterMagnitudes(magnitudes: Int32Array, planes: readonly Uint8Array[]): void {
  planes.forEach((plane, j) => {
    const shift = planes.length - 1 - j;
    plane.fill(0);
    for (let i = 0; i < magnitudes.length; i++) {
      plane[i >> 3]! |= ((magnitudes[i]! >> shift) & 1) << (i & 7);
    }
  });
}

export function placeWeights(
  planes: readonly Uint8Array[],
  { signs, dense }: TileState,
  { centroid, zeroCentroid, exponent }: Place,
  out: Float32Array,
): void {
  const magnitudes = new Int32Array(out.length);
  gatherMagnitudes(planes, magnitudes);
  const step = 2 ** (exponent - Math.log2(CENTROID_STEPS));
  for (let i = 0; i < out.length; i++) {
    const magnitude = magnitudes[i]!;
    const offset = magnitude > 0 ? centroid : dense[i >> 6] === 0 ? 0 : zeroCentroid;
    // Rounded before it is scaled, as in single-precision arithmetic.
    const value = Math.fround(magnitude * CENTROID_STEPS + offset) * step;
    out[i] = ((signs[i >> 3]! >> (i & 7)) & 1) === 1 ? -value : value;
  }
}
