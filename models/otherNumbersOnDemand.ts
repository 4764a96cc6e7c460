import { float8ToFloat32, isFloat8 } from '../src/tensor/float8.js';
import { OTHER_FLOATS } from '../src/tensor/otherFloats.js';
import type { Tensor } from '../src/tensor/tensor.js';

/**
 * Floats of eight bits, and those that only safetensors has, as numbers: for models that have some. Other elements, which are
 * no floats, are given out as they are.
 */
export function otherNumbers(
  { dtype, data }: Tensor,
  out: Float32Array = new Float32Array(data.length),
): Float32Array {
  if (isFloat8(dtype)) return float8ToFloat32(dtype, data as Uint8Array, out);
  const [, toNumbers] = OTHER_FLOATS[dtype]!;
  toNumbers(data, out);
  return out;
}
