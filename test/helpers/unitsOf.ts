import { parseFragmentStart, parseUnits } from '../../src/encodings/embedded/format.js';

/** The units of a fragment of the embedded encoding, by the index of the fragment. */
export function unitsOf(payload: Uint8Array, index: number): Uint8Array[] {
  const { bounds } = parseUnits(payload, parseFragmentStart(payload, index));
  return Array.from(bounds.subarray(1), (end, i) => payload.subarray(bounds[i], end));
}
