import { halfToFloat32 } from './float.js';

/**
 * Floats of eight bits, by the OCP 8-bit Floating Point Specification, revision 1.0: to and from binary32, over whole arrays.
 */

export type Float8Type = 'F8_E4M3' | 'F8_E5M2';

export function isFloat8(dtype: string): dtype is Float8Type {
  return dtype === 'F8_E4M3' || dtype === 'F8_E5M2';
}

/** The numbers of all 256 patterns. E5M2 has the upper byte of half precision; E4M3 its fields, another bias, and no infinity. */
export function float8Numbers(dtype: Float8Type): Float32Array {
  if (dtype === 'F8_E5M2') return halfToFloat32(Uint16Array.from({ length: 256 }, (_, byte) => byte << 8));
  const halves = Uint16Array.from({ length: 256 }, (_, byte) => ((byte & 0x80) << 8) | ((byte & 0x7f) << 7));
  return halfToFloat32(halves).map((half, byte) => ((byte & 0x7f) === 0x7f ? Number.NaN : 256 * half));
}

/** Patterns to numbers; as bits, because an engine may change the payload of a NaN that passes through a number. */
export function float8ToFloat32(dtype: Float8Type, bytes: Uint8Array, out: Float32Array): Float32Array {
  const numberBits = new Uint32Array(float8Numbers(dtype).buffer);
  const outBits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < outBits.length; i++) outBits[i] = numberBits[bytes[i]!]!;
  return out;
}

/**
 * Numbers to patterns, rounded to the nearest, ties to even. What is finite stays finite: it is clamped to the range. E4M3 has
 * NaN for an infinity.
 */
export function float32ToFloat8(dtype: Float8Type, values: Float32Array): Uint8Array {
  const [mantissaBits, bias, largest, infinity, nan] =
    dtype === 'F8_E5M2' ? [2, 15, 0x7b, 0x7c, 0x7e] : [3, 7, 0x7e, 0x7f, 0x7f];
  const largestNumber = float8Numbers(dtype)[largest]!;
  const sum = new Float32Array(1);
  const sumBits = new Uint32Array(sum.buffer);
  const result = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const magnitude = Math.abs(value);
    sum[0] = magnitude;
    let byte = largest;
    if (!(magnitude < Number.POSITIVE_INFINITY)) byte = Number.isNaN(value) ? nan : infinity;
    else if (magnitude < largestNumber) {
      // Added to a power of two whose last bit is one step of the result, a number is rounded to such steps.
      const exponent = Math.max(sumBits[0]! >>> 23, 128 - bias);
      const base = (exponent + 23 - mantissaBits) << 23;
      sumBits[0] = base;
      sum[0]! += magnitude;
      byte = sumBits[0]! - base + ((exponent - 128 + bias) << mantissaBits);
    }
    result[i] = byte | (value < 0 || Object.is(value, -0) ? 0x80 : 0);
  }
  return result;
}
