import type { DType } from '../../dtype.js';
import type { FloatLayout } from '../../kernels/embedded.js';

const FLOATS: Readonly<Partial<Record<DType, FloatLayout>>> = {
  F32: { bytes: 4, mantissaBits: 23, exponentBits: 8, bias: 127 },
  F16: { bytes: 2, mantissaBits: 10, exponentBits: 5, bias: 15 },
  BF16: { bytes: 2, mantissaBits: 7, exponentBits: 8, bias: 127 },
};

/** Undefined for integers: their planes end at 1 and leave nothing open. */
export function floatLayout(dtype: DType): FloatLayout | undefined {
  return FLOATS[dtype];
}

/** A new array for so many patterns. */
export function patternArray(layout: FloatLayout, count: number): Uint16Array | Uint32Array {
  return layout.bytes === 2 ? new Uint16Array(count) : new Uint32Array(count);
}
