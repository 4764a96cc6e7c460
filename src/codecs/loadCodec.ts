import { UnsupportedError } from '../errors.js';
import { loadKernels } from '../kernels/loadKernels.js';
import type { Codec, CompressionAlgorithm, Implementation } from './codec.js';
import { lz4Codec } from './lz4.js';
import { zstdCodec } from './zstd.js';
import { nativeZstd } from './zstdNative.js';
import { portableZstd } from './zstdPortable.js';
import { wasmZstd } from './zstdWasm.js';

export interface CodecOptions {
  /** Default 'auto': the fastest that this engine and its content policy offer. */
  readonly implementation?: Implementation | undefined;
}

const loaded = new Map<string, Promise<Codec>>();

/**
 * The codec of an algorithm, ready for synchronous use. It is loaded once and shared by all callers.
 *
 * LZ4: wasm, else portable. Zstd: the runtime's own, else wasm, else portable, which cannot compress.
 *
 * @throws UnsupportedError when a demanded implementation is not to be had here
 */
export function loadCodec(
  algorithm: CompressionAlgorithm,
  { implementation = 'auto' }: CodecOptions = {},
): Promise<Codec> {
  const key = `${algorithm} ${implementation}`;
  let codec = loaded.get(key);
  if (codec === undefined) {
    codec = algorithm === 'lz4' ? loadLz4(implementation) : loadZstd(implementation);
    loaded.set(key, codec);
  }
  return codec;
}

async function loadLz4(implementation: Implementation): Promise<Codec> {
  if (implementation === 'native') throw new UnsupportedError('LZ4 has no native implementation');
  return lz4Codec(await loadKernels({ implementation }));
}

async function loadZstd(implementation: Implementation): Promise<Codec> {
  if (implementation === 'portable') return zstdCodec(portableZstd);
  if (implementation !== 'wasm') {
    const native = nativeZstd();
    if (native !== undefined) return zstdCodec(native);
    if (implementation === 'native') throw new UnsupportedError('this runtime has no Zstd of its own');
  }
  try {
    return zstdCodec(await wasmZstd());
  } catch (cause) {
    if (implementation === 'auto') return zstdCodec(portableZstd);
    throw new UnsupportedError('the wasm Zstd cannot be loaded here', { cause });
  }
}
