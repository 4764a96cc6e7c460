import { check, oneOf } from '../checks/options.js';
import { SHAPE } from '../tensor/dtype.js';

/** The element types of safetensors, and the entries of a header. */

/**
 * Bits that one element takes, for every element type of safetensors (the `Dtype` of its Rust crate, which the
 * format's documentation names as the authority). The types below 8 bits are packed without gaps.
 */
const SAFETENSORS_BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** The element types of safetensors. */
export type SafetensorsDType = keyof typeof SAFETENSORS_BITS;

/** The names of all of them. */
export const SAFETENSORS_DTYPES = Object.keys(SAFETENSORS_BITS) as readonly SafetensorsDType[];

/** Whether it is the name of an element type of safetensors. */
export function isSafetensorsDType(name: string): name is SafetensorsDType {
  return Object.hasOwn(SAFETENSORS_BITS, name);
}

/**
 * Bytes of a tensor. Undefined if the number is not exact in a double, or if elements of fewer than 8 bits do not fill
 * the last byte, which safetensors does not allow; and if the product of some first dimensions overflows 64 bits, which
 * the official reader does not take even where a later dimension is 0.
 */
export function safetensorsByteLength(dtype: SafetensorsDType, shape: readonly number[]): number | undefined {
  check('dtype', dtype, oneOf(SAFETENSORS_DTYPES));
  check('shape', shape, SHAPE);
  let elements = 1;
  for (const dimension of shape) {
    elements *= dimension;
    if (elements >= 2 ** 64) return undefined;
  }
  const bits = elements * SAFETENSORS_BITS[dtype];
  return Number.isSafeInteger(bits) && bits % 8 === 0 ? bits / 8 : undefined;
}

/** Bytes of the length field that a file begins with. */
export const SAFETENSORS_LENGTH_SIZE = 8;

/** The cap of the format's own implementation: 100 MB of JSON is beyond a million tensors. */
export const SAFETENSORS_MAX_HEADER_SIZE = 100_000_000;

/** The member of the header that is free text, not a tensor. */
export const SAFETENSORS_METADATA_KEY = '__metadata__';

/** A tensor before it has a position in a file. */
export interface SafetensorsDeclaration {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
}

/** A tensor's entry in the header. */
export interface SafetensorsTensor extends SafetensorsDeclaration {
  /** Its first byte, counted from the start of the file (in the header: from its end). */
  readonly offset: number;
  readonly byteLength: number;
}

/** What the header of a safetensors file says. */
export interface SafetensorsHeader {
  /** Free text of the file, by key; empty without any. */
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their data. */
  readonly tensors: readonly SafetensorsTensor[];
  /** Bytes from the start of the file to the first tensor. */
  readonly byteLength: number;
  /** Bytes of the whole file: tensors follow each other without gaps up to its end. */
  readonly fileSize: number;
}
