import type { DequantizeGroups } from '../../tensor/quantization.js';

/** The same functions as in `src/tensor/float.ts` and `src/tensor/quantization.ts`, with the same results. */
export interface FloatKernels {
  /** Numbers of bfloat16 bit patterns; exact. */
  bfloat16ToFloat32(src: Uint16Array, out?: Float32Array): Float32Array;
  /** Bit patterns of the nearest bfloat16, ties to even. */
  float32ToBfloat16(src: Float32Array, out?: Uint16Array): Uint16Array;
  /** Numbers of half-precision bit patterns; exact. */
  halfToFloat32(src: Uint16Array, out?: Float32Array): Float32Array;
  /** Bit patterns of the nearest half, ties to even. */
  float32ToHalf(src: Float32Array, out?: Uint16Array): Uint16Array;
  readonly dequantizeGroups: DequantizeGroups;
}
