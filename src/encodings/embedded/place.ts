import type { TileState } from '../../kernels/portable/embedded/planes.js';
import type { PlaneHeader } from './format.js';

/** Steps that a centroid divides a plane's interval into. */
export const CENTROID_STEPS = 256;

/**
 * The best numbers for weights of which some planes are known: a significant one lies `centroid` / 256 into its
 * interval, one of which only the sign is known `zeroCentroid` / 256, and one of which nothing is known at 0.
 * @param exponent of the lowest known plane: 1 in it stands for 2^exponent
 */
export function placeWeights(
  magnitudes: Int32Array,
  { signs, dense }: TileState,
  { centroid, zeroCentroid }: PlaneHeader,
  exponent: number,
  out: Float32Array,
): void {
  const step = 2 ** (exponent - Math.log2(CENTROID_STEPS));
  for (let i = 0; i < out.length; i++) {
    const magnitude = magnitudes[i]!;
    const offset = magnitude > 0 ? centroid : dense[i >> 6] === 1 ? zeroCentroid : 0;
    // Rounded before it is scaled: as single-precision arithmetic does it.
    const value = Math.fround(magnitude * CENTROID_STEPS + offset) * step;
    out[i] = ((signs[i >> 3]! >> (i & 7)) & 1) === 1 ? -value : value;
  }
}
