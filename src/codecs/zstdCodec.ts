import { asBytes } from '../bytes/binary.js';
import { UnsupportedError } from '../errors.js';
import { type Codec, DEFAULT_ZSTD_LEVEL, type Implementation } from './codec.js';
import { loadDecoder } from './loadDecoder.js';
import { nativeZstd } from './zstdNative.js';
import { loadZstdEncoder, type ZstdCompress } from './zstdWasm.js';

/**
 * Zstandard in both directions. The encoder is the runtime's own, otherwise libzstd in wasm. There is no portable one:
 * if it is requested, or nothing else is available, `compress` throws an UnsupportedError.
 */
export async function loadZstd(implementation: Implementation): Promise<Codec> {
  const decoder = await loadDecoder('zstd', { implementation });
  const compress = await loadEncoder(implementation);
  return {
    ...decoder,
    compress: (data, { level = DEFAULT_ZSTD_LEVEL } = {}) => compress(asBytes(data), level),
  };
}

async function loadEncoder(implementation: Implementation): Promise<ZstdCompress> {
  if (implementation === 'portable') return noEncoder;
  const native = implementation === 'wasm' ? undefined : nativeZstd();
  if (native !== undefined) return (data, level) => native.compress(data, { level });
  try {
    return await loadZstdEncoder();
  } catch (cause) {
    if (implementation === 'auto') return noEncoder;
    throw new UnsupportedError('Cannot load the wasm Zstd encoder', { cause });
  }
}

const noEncoder: ZstdCompress = () => {
  throw new UnsupportedError(
    'Cannot compress with Zstd: it needs WebAssembly, or a version of Node with Zstd in node:zlib',
  );
};
