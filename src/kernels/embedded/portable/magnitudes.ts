/**
 * Between planes and magnitudes: bit `depth - 1 - j` of a weight's magnitude is its bit in plane j, so that plane 0
 * holds the highest.
 */

/** The magnitudes that the first planes of a tile make, rounded down. */
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
