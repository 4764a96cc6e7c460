import { check } from '../checks/options.js';
import { checkOutput, type TensorData, typedArray } from './tensor.js';

/**
 * Half (IEEE 754 binary16) and bfloat16 patterns to and from binary32, over whole arrays.
 *
 * This is integer arithmetic on bit patterns, because an engine may change the payload of a NaN that passes through a
 * number. Narrowing rounds to nearest, ties to even; a NaN keeps its sign and the top bits of its payload, and stays a
 * NaN when those are all zero.
 */

/** Of binary16, the least number above zero: subnormals are multiples of it. */
const SUBNORMAL = 2 ** -24;

/** From here to twice as much, doubles are whole numbers. */
const NO_FRACTION = 2 ** 52;

/** Binary16 patterns to numbers; every one of them has an exact binary32 value. */
export function halfToFloat32(src: Uint16Array, out?: Float32Array): Float32Array {
  const result = outputFor(src, 'Uint16Array', out, Float32Array);
  const bits = bitsOf(result);
  for (let i = 0; i < src.length; i++) {
    const half = src[i]!;
    const magnitude = half & 0x7fff;
    const sign = (half & 0x8000) << 16;
    // Exponents 1 to 30 move from bias 15 to bias 127; the mantissa moves up by 13 bits.
    if (magnitude >= 0x0400 && magnitude < 0x7c00) bits[i] = sign | ((magnitude << 13) + 0x38000000);
    else if (magnitude >= 0x7c00) bits[i] = sign | 0x7f800000 | ((magnitude & 0x3ff) << 13);
    // Subnormals, which are exact as numbers; zero keeps its sign.
    else result[i] = (1 - (half >>> 14)) * (magnitude * SUBNORMAL);
  }
  return result;
}

/** Numbers to binary16 patterns. From 65520 on the result is infinity; up to 2^-25 it is zero. */
export function float32ToHalf(src: Float32Array, out?: Uint16Array): Uint16Array {
  const result = outputFor(src, 'Float32Array', out, Uint16Array);
  const bits = bitsOf(src);
  for (let i = 0; i < bits.length; i++) {
    const pattern = bits[i]!;
    const magnitude = pattern & 0x7fffffff;
    const sign = (pattern >>> 16) & 0x8000;
    if (magnitude >= 0x38800000 && magnitude < 0x47800000) {
      // Normal as a half; a carry out of the mantissa raises the exponent, at the top end to infinity.
      result[i] = sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
    } else if (magnitude > 0x7f800000) result[i] = sign | 0x7c00 | ((magnitude >>> 13) & 0x3ff || 0x200);
    else if (magnitude >= 0x47800000) result[i] = sign | 0x7c00;
    // A sum of that size has no fraction: its addition rounds, ties to even. 0x400, the smallest normal half, is a valid result.
    else result[i] = sign | (Math.abs(src[i]!) / SUBNORMAL + NO_FRACTION - NO_FRACTION);
  }
  return result;
}

/** Bfloat16 patterns, the upper halves of binary32, to numbers. */
export function bfloat16ToFloat32(src: Uint16Array, out?: Float32Array): Float32Array {
  const result = outputFor(src, 'Uint16Array', out, Float32Array);
  const bits = bitsOf(result);
  for (let i = 0; i < src.length; i++) bits[i] = src[i]! << 16;
  return result;
}

/** Numbers to bfloat16 patterns. Magnitudes that round past the largest finite bfloat16 become infinity. */
export function float32ToBfloat16(src: Float32Array, out?: Uint16Array): Uint16Array {
  const result = outputFor(src, 'Float32Array', out, Uint16Array);
  const bits = bitsOf(src);
  for (let i = 0; i < bits.length; i++) {
    const pattern = bits[i]!;
    if ((pattern & 0x7fffffff) > 0x7f800000) {
      result[i] = (pattern >>> 16) | ((pattern & 0x7f0000) === 0 ? 0x40 : 0);
    } else result[i] = (pattern + 0x7fff + ((pattern >>> 16) & 1)) >>> 16;
  }
  return result;
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/**
 * The array to write to: the caller's, or a new one.
 * @throws ArgumentError for arrays of other types or another length
 */
function outputFor<T extends TensorData>(
  src: TensorData,
  type: TensorData[typeof Symbol.toStringTag],
  out: T | undefined,
  Output: { readonly name: string; new (length: number): T },
): T {
  check('src', src, typedArray(type));
  if (out === undefined) return new Output(src.length);
  checkOutput(out, src.length, Output.name as T[typeof Symbol.toStringTag]);
  return out;
}
