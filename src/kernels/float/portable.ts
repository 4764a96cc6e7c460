import { bfloat16ToFloat32, float32ToBfloat16, float32ToHalf, halfToFloat32 } from '../../tensor/float.js';
import { dequantizeGroups } from '../../tensor/quantization.js';
import type { FloatKernels } from './interface.js';

export const portableFloat: FloatKernels = {
  bfloat16ToFloat32,
  float32ToBfloat16,
  halfToFloat32,
  float32ToHalf,
  dequantizeGroups,
};
