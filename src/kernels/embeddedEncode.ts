import type { EmbeddedEncodeKernels } from './embedded.js';
import { forEncoding } from './forEncoding.js';
import type { Kernels } from './kernels.js';
import { portableEmbeddedEncode } from './portable/embedded/encode.js';
import { wasmEmbeddedEncode } from './wasm/embeddedEncode.js';

export function embeddedEncodeKernels(kernels: Pick<Kernels, 'implementation'>): EmbeddedEncodeKernels {
  return forEncoding(kernels, portableEmbeddedEncode, wasmEmbeddedEncode);
}
