import { type BlockDecoder, byAlgorithm, type CompressionAlgorithm, type Implementation } from './codec.js';
import { loadLz4 } from './lz4.js';
import { loadZstdDecoder } from './zstd.js';

export interface CodecOptions {
  /** Default 'auto': the fastest that this engine and its content policy offer. */
  readonly implementation?: Implementation | undefined;
}

/** The table of what can be decoded, apart from that of codecs: decoding alone needs no encoder. */
const DECODERS: Readonly<
  Record<CompressionAlgorithm, (implementation: Implementation) => Promise<BlockDecoder>>
> = {
  lz4: loadLz4,
  zstd: loadZstdDecoder,
};

const loaded = new Map<string, Promise<BlockDecoder>>();

/**
 * The decoder of an algorithm, ready for synchronous use. It is loaded once and shared by all callers. A program that
 * only reads takes this instead of `loadCodec`, and is spared the Zstd encoder.
 *
 * @throws ArgumentError for an unknown algorithm; UnsupportedError when a demanded implementation is not available here
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
  return byAlgorithm(DECODERS, algorithm)(implementation);
}
