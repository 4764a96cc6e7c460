import { FormatError, TruncatedError } from '../errors.js';
import { viewElements } from '../tensor/views.js';

/**
 * The payload that SV03 and RP01 share, little-endian: magic u32, coefficients of the whole tensor u32, fragments u32,
 * number of this fragment u32, count u32, then the count f32 coefficients.
 */
const HEADER_BYTES = 20;

/** What every fragment of a tensor says alike. */
export interface SubsetHeader {
  readonly magic: number;
  readonly coefficients: number;
  readonly fragments: number;
}

/** A payload with room for `count` values, and the array to write them to. */
export function createSubsetPayload(
  { magic, coefficients, fragments }: SubsetHeader,
  index: number,
  count: number,
): { readonly payload: Uint8Array; readonly values: Float32Array } {
  const payload = new Uint8Array(HEADER_BYTES + 4 * count);
  new Uint32Array(payload.buffer).set([magic, coefficients, fragments, index, count]);
  return { payload, values: new Float32Array(payload.buffer, HEADER_BYTES, count) };
}

/**
 * The values of a payload, as a view where alignment allows.
 * @throws FormatError when a field is not what header, index and count ask for
 */
export function readSubsetPayload(
  header: SubsetHeader,
  index: number,
  count: number,
  payload: Uint8Array,
): Float32Array {
  const expected = [header.magic, header.coefficients, header.fragments, index, count];
  const names = [
    'magic',
    'coefficients of the tensor',
    'fragments of the tensor',
    'fragment number',
    'values',
  ];
  checkLength(payload, HEADER_BYTES, index);
  const view = new DataView(payload.buffer, payload.byteOffset, HEADER_BYTES);
  for (let field = 0; field < expected.length; field++) {
    const actual = view.getUint32(4 * field, true);
    if (actual === expected[field]) continue;
    throw new FormatError(`fragment payload: ${names[field]}`, {
      fragmentIndex: index,
      offset: 4 * field,
      expected: expected[field],
      actual,
    });
  }
  return readValues(payload, HEADER_BYTES, count, index);
}

/**
 * The f32 values from `offset` to the end of the payload.
 * @throws FormatError when they are not `count`
 */
export function readValues(payload: Uint8Array, offset: number, count: number, index: number): Float32Array {
  const length = offset + 4 * count;
  checkLength(payload, length, index);
  if (payload.length !== length) {
    throw new FormatError('fragment payload: bytes behind the last value', {
      fragmentIndex: index,
      expected: `${length} bytes`,
      actual: payload.length,
    });
  }
  return viewElements('F32', payload.subarray(offset)) as Float32Array;
}

/** @throws TruncatedError when the payload is shorter than `length` bytes */
export function checkLength(payload: Uint8Array, length: number, index: number): void {
  if (payload.length >= length) return;
  throw new TruncatedError('fragment payload', {
    fragmentIndex: index,
    expected: `${length} bytes`,
    actual: payload.length,
  });
}

/** The first four bytes as a number; undefined when there are fewer. */
export function payloadMagic(payload: Uint8Array): number | undefined {
  if (payload.length < 4) return undefined;
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
}
