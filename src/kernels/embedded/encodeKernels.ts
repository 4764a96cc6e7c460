import type { Kernels } from '../kernels.js';
import { forEncoding } from '../runtime/forEncoding.js';
import type { EmbeddedEncodeKernels } from './interface.js';
import { portableEmbeddedEncode } from './portable/encode.js';
import { wasmEmbeddedEncode } from './wasm/encode.js';

export function embeddedEncodeKernels(kernels: Pick<Kernels, 'implementation'>): EmbeddedEncodeKernels {
  return forEncoding(kernels, portableEmbeddedEncode, wasmEmbeddedEncode);
}
