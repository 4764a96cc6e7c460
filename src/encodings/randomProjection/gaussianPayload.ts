import { FormatError } from '../../errors.js';
import { energyOfFragment } from '../energy.js';
import { checkLength, readValues } from '../payload.js';

/** The reference's payload: d u32, seed u64, then d × f32. Fields are in steps of 4, so f32 values are aligned. */
const HEADER_BYTES = 12;

export function writeGaussianPayload(seed: bigint, projections: Float32Array): Uint8Array {
  const payload = new Uint8Array(HEADER_BYTES + 4 * projections.length);
  const view = new DataView(payload.buffer);
  view.setUint32(0, projections.length, true);
  view.setBigUint64(4, seed, true);
  new Float32Array(payload.buffer, HEADER_BYTES).set(projections);
  return payload;
}

/**
 * The projections of fragment `index`.
 * @param rows how many they must be; undefined: any number
 * @throws FormatError when the payload is malformed or its seed is not the one of this fragment
 */
export function readGaussianPayload(
  index: number,
  payload: Uint8Array,
  seed: bigint,
  rows: number | undefined,
): Float32Array {
  checkLength(payload, HEADER_BYTES, index);
  const view = new DataView(payload.buffer, payload.byteOffset, HEADER_BYTES);
  const actualSeed = view.getBigUint64(4, true);
  if (actualSeed !== seed) {
    throw new FormatError('fragment payload: seed', {
      fragmentIndex: index,
      offset: 4,
      expected: seed,
      actual: actualSeed,
    });
  }
  const count = view.getUint32(0, true);
  if (count !== (rows ?? count)) {
    throw new FormatError('fragment payload: projections', {
      fragmentIndex: index,
      offset: 0,
      expected: rows,
      actual: count,
    });
  }
  const projections = readValues(payload, HEADER_BYTES, count, index);
  energyOfFragment(projections, index);
  return projections;
}
