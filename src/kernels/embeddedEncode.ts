import type { EmbeddedEncodeKernels } from './embedded.js';
import type { Kernels } from './kernels.js';
import { portableEmbeddedEncode } from './portable/embedded/encode.js';
import { wasmEmbeddedEncode } from './wasm/embeddedEncode.js';

/** The encoder's kernels of the same implementation, where this engine compiles them without waiting. */
export function embeddedEncodeKernels({ implementation }: Kernels): EmbeddedEncodeKernels {
  if (implementation === 'portable') return portableEmbeddedEncode;
  try {
    return wasmEmbeddedEncode();
  } catch {
    return portableEmbeddedEncode;
  }
}
