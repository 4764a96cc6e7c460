import { UnsupportedError } from '../errors.js';
import { loadKernels } from '../kernels/loadKernels.js';
import type { BlockDecoder, CompressionAlgorithm, Implementation } from './codec.js';
import { lz4Codec } from './lz4.js';
import { zstdDecoder } from './zstd.js';
import { nativeZstd } from './zstdNative.js';

export interface CodecOptions {
  /** Default 'auto': the fastest that this engine and its content policy offer. */
  readonly implementation?: Implementation | undefined;
}

const loaded = new Map<string, Promise<BlockDecoder>>();

/**
 * The decoder of an algorithm, ready for synchronous use. It is loaded once and shared by all callers. A program that
 * only reads takes this instead of `loadCodec`, and is spared the Zstd encoder.
 *
 * LZ4: wasm, else portable. Zstd: wasm, else the runtime's own, else portable. (On 16 KiB blocks of bf16 the wasm kernel
 * takes half the time of Node's own, which makes a context for each call; on 1 MiB they are even.)
 *
 * @throws UnsupportedError when a demanded implementation is not to be had here
 */
export function loadDecoder(
  algorithm: CompressionAlgorithm,
  { implementation = 'auto' }: CodecOptions = {},
): Promise<BlockDecoder> {
  const key = `${algorithm} ${implementation}`;
  let decoder = loaded.get(key);
  if (decoder === undefined) {
    decoder = load(algorithm, implementation);
    loaded.set(key, decoder);
  }
  return decoder;
}

async function load(algorithm: CompressionAlgorithm, implementation: Implementation): Promise<BlockDecoder> {
  const native = algorithm === 'zstd' ? nativeZstd() : undefined;
  if (implementation === 'native') {
    if (native === undefined) throw new UnsupportedError(`this runtime has no ${algorithm} of its own`);
    return native;
  }
  const kernels = await loadKernels({ implementation });
  if (implementation === 'auto' && kernels.implementation === 'portable' && native !== undefined)
    return native;
  return algorithm === 'lz4' ? lz4Codec(kernels) : zstdDecoder(kernels);
}
