import { byAlgorithm, type Codec, type CompressionAlgorithm, type Implementation } from './codec.js';
import type { CodecOptions } from './loadDecoder.js';
import { loadLz4 } from './lz4.js';
import { loadZstd } from './zstdCodec.js';

/** The table of codecs. */
const CODECS: Readonly<Record<CompressionAlgorithm, (implementation: Implementation) => Promise<Codec>>> = {
  lz4: loadLz4,
  zstd: loadZstd,
};

const loaded = new Map<string, Promise<Codec>>();

/**
 * The codec of an algorithm, both ways, ready for synchronous use. It is loaded once and shared by all callers.
 *
 * @throws ArgumentError for an unknown algorithm; UnsupportedError when a demanded implementation is not available here
 */
export function loadCodec(
  algorithm: CompressionAlgorithm,
  { implementation = 'auto' }: CodecOptions = {},
): Promise<Codec> {
  const key = `${algorithm} ${implementation}`;
  let codec = loaded.get(key);
  if (codec === undefined) {
    codec = load(algorithm, implementation);
    loaded.set(key, codec);
  }
  return codec;
}

async function load(algorithm: CompressionAlgorithm, implementation: Implementation): Promise<Codec> {
  return byAlgorithm(CODECS, algorithm)(implementation);
}
