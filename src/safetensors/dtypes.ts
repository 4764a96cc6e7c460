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

export type SafetensorsDType = keyof typeof SAFETENSORS_BITS;

export const SAFETENSORS_DTYPES = Object.keys(SAFETENSORS_BITS) as readonly SafetensorsDType[];

export function isSafetensorsDType(name: string): name is SafetensorsDType {
  return Object.hasOwn(SAFETENSORS_BITS, name);
}

/**
 * Bytes that a tensor takes, or undefined where there is no such number: it is not exact in a double, or elements
 * of fewer than 8 bits leave the last byte part full, which safetensors does not allow.
 */
export function safetensorsByteLength(dtype: SafetensorsDType, shape: readonly number[]): number | undefined {
  let bits: number = SAFETENSORS_BITS[dtype];
  for (const dimension of shape) bits *= dimension;
  return Number.isSafeInteger(bits) && bits % 8 === 0 ? bits / 8 : undefined;
}
