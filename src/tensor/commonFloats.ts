import { bfloat16ToFloat32, float32ToBfloat16, float32ToHalf, halfToFloat32 } from './float.js';
import type { Tensor, TensorData } from './tensor.js';

/** Numbers as elements of the dtypes that nearly all tensors have, and back; `numbers.ts` converts the others, too. */

export type CommonFloat = 'F32' | 'F16' | 'BF16';

export function isCommonFloat(dtype: string): dtype is CommonFloat {
  return dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
}

/** F32 is returned without a copy. */
export function commonElements(dtype: CommonFloat, values: Float32Array): TensorData {
  if (dtype === 'F16') return float32ToHalf(values);
  return dtype === 'BF16' ? float32ToBfloat16(values) : values;
}

/** @param out where to write; F32 is returned without a copy */
export function commonNumbers({ dtype, data }: Tensor, out?: Float32Array): Float32Array {
  if (dtype === 'F16') return halfToFloat32(data as Uint16Array, out);
  return dtype === 'BF16' ? bfloat16ToFloat32(data as Uint16Array, out) : (data as Float32Array);
}
