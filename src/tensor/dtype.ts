import { check, listOf, oneOf, type Rule, wholeNumber } from '../checks/options.js';
import { FormatError } from '../errors.js';

/** Element types of both formats, by their names in safetensors. */
export type DType = 'F32' | 'F16' | 'BF16' | 'I8' | 'I4' | 'F8_E4M3' | 'F8_E5M2';

/** The code of each type in HCT and HoloTensor headers is its index in this table. */
export const DTYPES: readonly DType[] = ['F32', 'F16', 'BF16', 'I8', 'I4', 'F8_E4M3', 'F8_E5M2'];

export const DTYPE: Rule<DType> = /* @__PURE__ */ oneOf(DTYPES);

export const SHAPE: Rule<readonly number[]> = /* @__PURE__ */ listOf(/* @__PURE__ */ wholeNumber());

/** Of sizes that are only computed with: what is too large is refused where it is used. */
const NUMBER: Rule<number> = (value) => typeof value !== 'number' && 'a number';
const NUMBERS = /* @__PURE__ */ listOf(NUMBER);

const BITS: Readonly<Record<DType, number>> = {
  F32: 32,
  F16: 16,
  BF16: 16,
  I8: 8,
  I4: 4,
  F8_E4M3: 8,
  F8_E5M2: 8,
};

/** Bits per element. */
export function bitsPerElement(dtype: DType): number {
  check('dtype', dtype, DTYPE);
  return BITS[dtype];
}

/** Bytes that `elements` elements take; two I4 share a byte, and an odd last one takes a whole byte. */
export function byteLengthOf(dtype: DType, elements: number): number {
  check('elements', elements, NUMBER);
  return Math.ceil((elements * bitsPerElement(dtype)) / 8);
}

/** @throws FormatError for a code that neither format knows; `offset` is where it stands in the file */
export function dtypeFromCode(code: number, offset?: number): DType {
  const dtype = DTYPES[code];
  if (dtype === undefined) {
    throw new FormatError('Cannot read the dtype: unknown code', {
      offset,
      expected: `0 to ${DTYPES.length - 1}`,
      actual: code,
    });
  }
  return dtype;
}

/** The code of a dtype in the headers of both formats. */
export function dtypeCode(dtype: DType): number {
  check('dtype', dtype, DTYPE);
  return DTYPES.indexOf(dtype);
}

/** Number of elements of a shape; rank 0 has one. The caller has checked that a double holds it exactly. */
export function elementCount(shape: readonly number[]): number {
  check('shape', shape, NUMBERS);
  return shape.reduce((product, dimension) => product * dimension, 1);
}
