import { UnsupportedError } from '../errors.js';
import { loadKernels } from '../kernels/loadKernels.js';
import type { Codec, Implementation } from './codec.js';

/** Raw LZ4 blocks. They have no levels, and no runtime has a built-in codec for them. */
export async function loadLz4(implementation: Implementation): Promise<Codec> {
  if (implementation === 'native')
    throw new UnsupportedError('Cannot load the native LZ4 codec: this runtime has none');
  const kernels = await loadKernels(['lz4'], { implementation });
  return {
    algorithm: 'lz4',
    implementation: kernels.implementation,
    decompressInto: (block, out) => kernels.lz4DecompressInto(block, out),
    checkAndDecompressInto: (block, out, check) => kernels.lz4DecompressInto(block, out, check),
    compress: (data) => kernels.lz4Compress(data),
  };
}
