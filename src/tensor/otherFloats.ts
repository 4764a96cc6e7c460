import type { TensorData } from './tensor.js';

/**
 * Elements of the floating-point dtypes that safetensors has and HCT and HoloTensor have not, as numbers: exact where a
 * float32 can hold them, else rounded to the nearest, ties to even.
 */

/** Writes elements as numbers to an array of as many. */
export type ToNumbers = (elements: TensorData, out: Float32Array) => void;

/** Each dtype, the bytes of an element, and how elements become numbers. Others are not single numbers of whole bytes. */
export const OTHER_FLOATS: Readonly<Record<string, readonly [size: number, toNumbers: ToNumbers]>> = {
  F64: [8, setNumbers],
  F8_E4M3FNUZ: [1, (elements, out) => lookUp(elements, out, (byte) => float8Fnuz(byte, 3, 8))],
  F8_E5M2FNUZ: [1, (elements, out) => lookUp(elements, out, (byte) => float8Fnuz(byte, 2, 16))],
};

/** What an array does with numbers of another type is a conversion to the nearest float32. */
export function setNumbers(elements: TensorData, out: Float32Array): void {
  out.set(elements as Float64Array);
}

/** There are 256 patterns: each is converted once. */
export function lookUp(elements: TensorData, out: Float32Array, numberOf: (byte: number) => number): void {
  const table = Float32Array.from({ length: 256 }, (_, byte) => numberOf(byte));
  const bytes = elements as Uint8Array;
  for (let i = 0; i < out.length; i++) out[i] = table[bytes[i]!]!;
}

/** https://arxiv.org/abs/2206.02915: no infinities; negative zero is the only NaN. */
function float8Fnuz(byte: number, mantissaBits: number, bias: number): number {
  return byte === 0x80 ? Number.NaN : float8(byte, mantissaBits, bias);
}

function float8(byte: number, mantissaBits: number, bias: number): number {
  const exponent = (byte & 0x7f) >> mantissaBits;
  const fraction = (byte & ((1 << mantissaBits) - 1)) / (1 << mantissaBits);
  const magnitude = exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
  return byte < 0x80 ? magnitude : -magnitude;
}
