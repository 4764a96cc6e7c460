import { FormatError } from '../../errors.js';
import { viewElements } from '../../tensor/tensor.js';
import type { MatrixShape } from '../encoding.js';
import { energyOfFragment } from '../payload.js';
import type { SingularTriplets } from './svd/truncatedSvd.js';

/**
 * A payload: rows u32, columns u32, number of components u32, then for each component σ, u (one value per row) and v
 * (one value per column), all f32. RAW instead of a number: the values of a whole matrix follow.
 */
const HEADER_BYTES = 12;
const RAW = 0xffffffff;
/** Most rows, and most columns. */
export const MAX_LINES = 0xffffffff;

export interface LowRankPayload {
  /** Undefined: `values` are those of a matrix, row-major. */
  readonly components: number | undefined;
  readonly values: Float32Array;
}

/** Floats of one component. */
export function componentLength({ rows, cols }: MatrixShape): number {
  return 1 + rows + cols;
}

/** The components of the given numbers, rounded to f32. */
export function writeComponents(
  { rows, cols }: MatrixShape,
  { sigma, u, v }: SingularTriplets,
  components: readonly number[],
): Uint8Array {
  const { payload, values } = allocate(rows, cols, components.length, components.length * (1 + rows + cols));
  let at = 0;
  for (const k of components) {
    values[at] = sigma[k]!;
    values.set(u.subarray(k * rows, (k + 1) * rows), at + 1);
    values.set(v.subarray(k * cols, (k + 1) * cols), at + 1 + rows);
    at += 1 + rows + cols;
  }
  return payload;
}

export function writeRaw({ rows, cols }: MatrixShape, matrix: Float32Array): Uint8Array {
  const { payload, values } = allocate(rows, cols, RAW, rows * cols);
  values.set(matrix);
  return payload;
}

function allocate(rows: number, cols: number, count: number, floats: number) {
  const payload = new Uint8Array(HEADER_BYTES + 4 * floats);
  new Uint32Array(payload.buffer, 0, 3).set([rows, cols, count]);
  return { payload, values: new Float32Array(payload.buffer, HEADER_BYTES) };
}

/** @throws FormatError when the payload is malformed or belongs to a matrix of another shape */
export function readPayload(
  { rows, cols }: MatrixShape,
  fragmentIndex: number,
  payload: Uint8Array,
): LowRankPayload {
  if (payload.length < HEADER_BYTES) {
    throw new FormatError('Cannot read the fragment payload: it is too short', {
      fragmentIndex,
      expected: `${HEADER_BYTES} bytes`,
      actual: payload.length,
    });
  }
  const view = new DataView(payload.buffer, payload.byteOffset);
  const shape = [view.getUint32(0, true), view.getUint32(4, true)];
  if (shape[0] !== rows || shape[1] !== cols) {
    throw new FormatError('Cannot read the fragment payload: it belongs to a tensor of another shape', {
      fragmentIndex,
      expected: `${rows} × ${cols}`,
      actual: `${shape[0]} × ${shape[1]}`,
    });
  }
  const count = view.getUint32(8, true);
  const floats = count === RAW ? rows * cols : count * (1 + rows + cols);
  if (payload.length !== HEADER_BYTES + 4 * floats) {
    throw new FormatError('Cannot read the fragment payload: wrong number of bytes', {
      fragmentIndex,
      expected: HEADER_BYTES + 4 * floats,
      actual: payload.length,
    });
  }
  const values = viewElements('F32', payload.subarray(HEADER_BYTES)) as Float32Array;
  // Refuses values that are not finite.
  energyOfFragment(values, fragmentIndex);
  return { components: count === RAW ? undefined : count, values };
}
