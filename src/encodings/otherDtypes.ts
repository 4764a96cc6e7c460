import type { FloatLayout } from '../kernels/embedded/interface.js';
import { commonElements, isCommonFloat } from '../tensor/commonFloats.js';
import type { DType } from '../tensor/dtype.js';
import type { Float8Type } from '../tensor/float8.js';
import type { TensorData } from '../tensor/tensor.js';

/**
 * Elements of all dtypes, for decoders, which are synchronous. What converts integers and floats of eight bits is loaded
 * with the decoder of such a tensor: few tensors have them.
 */

interface OtherDtypes {
  fromFloat32(dtype: DType, values: Float32Array): TensorData;
  float8Elements(dtype: Float8Type, layout: FloatLayout, patterns: Uint16Array): Uint8Array;
  float8ToFloat32(dtype: Float8Type, bytes: Uint8Array, out: Float32Array): Float32Array;
}

let loaded: OtherDtypes | undefined;

/** Loads what decoding a tensor of this dtype takes. */
export async function loadDtype(dtype: DType): Promise<void> {
  if (isDtypeLoaded(dtype)) return;
  const { fromFloat32, float8Elements, float8ToFloat32 } = await import('./otherDtypesOnDemand.js');
  loaded = { fromFloat32, float8Elements, float8ToFloat32 };
}

export function isDtypeLoaded(dtype: DType): boolean {
  return isCommonFloat(dtype) || loaded !== undefined;
}

/** What has been loaded for a dtype that is no common one. */
export function otherDtypes(): OtherDtypes {
  return loaded!;
}

/** As `fromFloat32`, of a dtype that has been loaded. */
export function numbersToElements(dtype: DType, values: Float32Array): TensorData {
  return isCommonFloat(dtype) ? commonElements(dtype, values) : otherDtypes().fromFloat32(dtype, values);
}
