import type { Kernels } from '../kernels/kernels.js';
import type { Codec } from './codec.js';

/** Raw LZ4 blocks by the given kernels. It has no levels. */
export function lz4Codec(kernels: Kernels): Codec {
  return {
    algorithm: 'lz4',
    implementation: kernels.implementation,
    decompressInto: (block, out) => kernels.lz4DecompressInto(block, out),
    checkAndDecompressInto: (block, out, check) => kernels.lz4DecompressInto(block, out, check),
    compress: (data) => kernels.lz4Compress(data),
  };
}
