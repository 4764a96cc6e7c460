import { FormatError } from '../../errors.js';
import type { FloatLayout } from '../../kernels/embedded/interface.js';
import { bitsPerElement, type DType } from '../../tensor/dtype.js';
import type { StreamHeader } from './streamHeader.js';

export const SINGLE: FloatLayout = { bytes: 4, mantissaBits: 23, exponentBits: 8, bias: 127 };

const FLOATS: Readonly<Partial<Record<DType, FloatLayout>>> = {
  F32: SINGLE,
  F16: { bytes: 2, mantissaBits: 10, exponentBits: 5, bias: 15 },
  BF16: { bytes: 2, mantissaBits: 7, exponentBits: 8, bias: 127 },
  // As patterns of 16 bits, which the planes and the remainder take: the numbers of the dtype without subnormal ones. The
  // exponent field of the smallest number is 1, that of NaNs and infinities has all bits set.
  F8_E4M3: { bytes: 2, mantissaBits: 3, exponentBits: 5, bias: 10, tapered: true },
  F8_E5M2: { bytes: 2, mantissaBits: 2, exponentBits: 6, bias: 17, tapered: true },
};

/** The exponent of the largest finite number, where it is not the bias. */
const HIGHEST: Readonly<Partial<Record<DType, number>>> = { F8_E4M3: 8, F8_E5M2: 15 };

/** Of the elements as patterns. Undefined for integers: their planes end at 1 and make them exact. */
export function floatLayout(dtype: DType): FloatLayout | undefined {
  return FLOATS[dtype];
}

/**
 * Planes of floats encode normal numbers, those of integers whole ones.
 * @throws FormatError where the planes of a stream reach beyond those
 */
export function checkScale({ scale, planes }: StreamHeader, dtype: DType): void {
  const layout = floatLayout(dtype);
  const lowest = layout === undefined ? 0 : 1 - layout.bias;
  const end = layout === undefined ? bitsPerElement(dtype) : (HIGHEST[dtype] ?? layout.bias) + 1;
  const exact = layout === undefined && scale !== 0;
  if (scale >= lowest && scale + planes.length <= end && !exact && endsWhole(scale, layout)) return;
  throw new FormatError('Cannot read the embedded fragment: its planes are out of range', {
    expected: `exponents from ${lowest} to ${end - 1}`,
    actual: `${scale} to ${scale + planes.length - 1}`,
  });
}

/** Whether mantissas are whole in the lowest plane, or all in the planes: only tapered ones may be neither. */
export function endsWhole(scale: number, layout: FloatLayout | undefined): boolean {
  if (layout?.tapered !== true) return true;
  const lowest = scale + layout.bias;
  return lowest === 1 || lowest > layout.mantissaBits;
}

/** A new array for `count` patterns. */
export function patternArray(layout: FloatLayout, count: number): Uint16Array | Uint32Array {
  return layout.bytes === 2 ? new Uint16Array(count) : new Uint32Array(count);
}

/** These bytes as patterns, or undefined if their address is not aligned for patterns. */
export function patternView(layout: FloatLayout, bytes: Uint8Array): Uint16Array | Uint32Array | undefined {
  const { buffer, byteOffset, length } = bytes;
  if (byteOffset % layout.bytes !== 0) return undefined;
  return layout.bytes === 2
    ? new Uint16Array(buffer, byteOffset, length / 2)
    : new Uint32Array(buffer, byteOffset, length / 4);
}
