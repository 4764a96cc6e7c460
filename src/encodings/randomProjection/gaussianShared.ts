import { FormatError, LimitError } from '../../errors.js';
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
 * @param rows their required number; undefined: any
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
    throw new FormatError('Cannot read the fragment payload: wrong seed', {
      fragmentIndex: index,
      offset: 4,
      expected: seed,
      actual: actualSeed,
    });
  }
  const count = view.getUint32(0, true);
  if (count !== (rows ?? count)) {
    throw new FormatError('Cannot read the fragment payload: wrong number of projections', {
      fragmentIndex: index,
      offset: 0,
      expected: rows,
      actual: count,
    });
  }
  return readValues(payload, HEADER_BYTES, count, index).values;
}

/** Normals to draw, 2^32: a minute or two in plain TypeScript; 256 × 256 elements in the reference's sizes. */
const MAX_NORMALS = 2 ** 32;

/** @throws LimitError for a Gaussian projection that takes minutes; the message names the alternative */
export function assertFeasible(normals: number): void {
  if (normals <= MAX_NORMALS) return;
  throw new LimitError(
    "Cannot compute the Gaussian projection: it takes minutes; use matrix 'orthonormal', or force it",
    { expected: `at most ${MAX_NORMALS} random numbers`, actual: normals },
  );
}

/** The reference's estimate: a weighted mean over all rows. */
export class BackProjection {
  /** Σ_j g_ji (g_j · x), the right side of the normal equations. */
  readonly sums: Float64Array;
  /** Σ_j g_ji² */
  readonly squares: Float64Array;

  constructor(elements: number) {
    this.sums = new Float64Array(elements);
    this.squares = new Float64Array(elements);
  }

  write(out: Float32Array): void {
    for (let i = 0; i < out.length; i++) {
      const square = this.squares[i]!;
      out[i] = square === 0 ? 0 : this.sums[i]! / square;
    }
  }
}
