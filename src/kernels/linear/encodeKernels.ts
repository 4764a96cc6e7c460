import type { Kernels } from '../kernels.js';
import { forEncoding } from '../runtime/encodeKernels.js';
import type { LinearKernels } from './interface.js';
import { portableLinear } from './portable.js';
import { wasmLinear } from './wasm/encode.js';

export function linearKernels(kernels: Pick<Kernels, 'implementation'>): LinearKernels {
  return forEncoding(kernels, portableLinear, wasmLinear);
}
