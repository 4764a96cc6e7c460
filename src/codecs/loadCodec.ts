import { UnsupportedError } from '../errors.js';
import { loadKernels } from '../kernels/loadKernels.js';
import type { Codec, CompressionAlgorithm, Implementation } from './codec.js';
import { type CodecOptions, loadDecoder } from './loadDecoder.js';
import { lz4Codec } from './lz4.js';
import { DEFAULT_ZSTD_LEVEL } from './zstdLevel.js';
import { nativeZstd } from './zstdNative.js';
import { loadZstdEncoder, type ZstdCompress } from './zstdWasm.js';

const loaded = new Map<string, Promise<Codec>>();

/**
 * The codec of an algorithm, both ways, ready for synchronous use. It is loaded once and shared by all callers.
 *
 * Decoders are those of `loadDecoder`. Zstd encoders: the runtime's own, else libzstd in wasm. There is no portable
 * one: where it is demanded, or nothing else is to be had, `compress` throws an UnsupportedError.
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
  if (implementation === 'native') throw new UnsupportedError('this runtime has no lz4 of its own');
  return lz4Codec(await loadKernels({ implementation }));
}

async function loadZstd(implementation: Implementation): Promise<Codec> {
  const decoder = await loadDecoder('zstd', { implementation });
  const compress = await loadEncoder(implementation);
  return { ...decoder, compress: (data, { level = DEFAULT_ZSTD_LEVEL } = {}) => compress(data, level) };
}

async function loadEncoder(implementation: Implementation): Promise<ZstdCompress> {
  if (implementation === 'portable') return noEncoder;
  const native = implementation === 'wasm' ? undefined : nativeZstd();
  if (native !== undefined) return (data, level) => native.compress(data, { level });
  try {
    return await loadZstdEncoder();
  } catch (cause) {
    if (implementation === 'auto') return noEncoder;
    throw new UnsupportedError('the wasm Zstd encoder cannot be loaded here', { cause });
  }
}

const noEncoder: ZstdCompress = () => {
  throw new UnsupportedError('Zstd compression needs WebAssembly or a Node with zstd in node:zlib');
};
