import { asBytes } from '../bytes/binary.js';
import { UnsupportedError } from '../errors.js';
import { loadKernels } from '../kernels/loadKernels.js';
import type { BlockDecoder, Codec, Implementation } from './codec.js';

/** Raw LZ4 blocks. They have no levels. */
export async function loadLz4(implementation: Implementation): Promise<Codec> {
  const decoder = await loadLz4Decoder(implementation);
  const { lz4Compress } = await loadKernels(['lz4Encode'], { implementation: decoder.implementation });
  return { ...decoder, compress: (data) => lz4Compress(asBytes(data)) };
}

/** No runtime has a built-in decoder for them. */
export async function loadLz4Decoder(implementation: Implementation): Promise<Lz4Decoder> {
  if (implementation === 'native')
    throw new UnsupportedError('Cannot load the native LZ4 codec: this runtime has none');
  const kernels = await loadKernels(['lz4'], { implementation });
  return {
    algorithm: 'lz4',
    implementation: kernels.implementation,
    decompressInto: (block, out) => kernels.lz4DecompressInto(block, out),
    checkAndDecompressInto: (block, out, check) => kernels.lz4DecompressInto(block, out, check),
  };
}

interface Lz4Decoder extends BlockDecoder {
  readonly implementation: 'portable' | 'wasm';
}
