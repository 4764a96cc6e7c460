import type { DequantizeGroups } from '../../tensor/quantization.js';

/** The same functions as in `src/tensor/float.ts` and `src/tensor/quantization.ts`, with the same results. */
export interface FloatKernels {
  bfloat16ToFloat32(src: Uint16Array, out?: Float32Array): Float32Array;
  float32ToBfloat16(src: Float32Array, out?: Uint16Array): Uint16Array;
  halfToFloat32(src: Uint16Array, out?: Float32Array): Float32Array;
  float32ToHalf(src: Float32Array, out?: Uint16Array): Uint16Array;
  readonly dequantizeGroups: DequantizeGroups;
}
