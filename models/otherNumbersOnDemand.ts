import { storedToFloat32 } from '../src/tensor/numbers.js';
import { otherToFloat32 } from '../src/tensor/otherNumbers.js';
import type { Tensor } from '../src/tensor/tensor.js';

/** Elements of floats of eight bits, and of dtypes that only safetensors has, as numbers: for models that have some. */
export function otherNumbers({ dtype, ...tensor }: Tensor, out?: Float32Array): Float32Array {
  return dtype === 'F8_E4M3' || dtype === 'F8_E5M2'
    ? storedToFloat32({ ...tensor, dtype }, { out })
    : otherToFloat32({ ...tensor, dtype }, out);
}
