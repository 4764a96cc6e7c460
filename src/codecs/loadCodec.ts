import { loadOnce } from '../async/loadOnce.js';
import { check, checkOptions } from '../checks/options.js';
import {
  ALGORITHM,
  COMPRESS_RULES,
  type Codec,
  type CompressionAlgorithm,
  type Implementation,
} from './codec.js';
import { CODEC_RULES, type CodecOptions } from './loadDecoder.js';

/** The table of codecs. */
const CODECS: Readonly<Record<CompressionAlgorithm, (implementation: Implementation) => Promise<Codec>>> = {
  lz4: (implementation) => import('./lz4.js').then(({ loadLz4 }) => loadLz4(implementation)),
  zstd: (implementation) => import('./zstdCodec.js').then(({ loadZstd }) => loadZstd(implementation)),
};

const loaded = new Map<string, Promise<Codec>>();

/**
 * The codec of an algorithm, for both directions, ready for synchronous use. It is loaded once and shared by all
 * callers.
 *
 * @throws ArgumentError for an unknown algorithm; UnsupportedError when the requested implementation is not available
 */
export async function loadCodec(algorithm: CompressionAlgorithm, options: CodecOptions = {}): Promise<Codec> {
  check('algorithm', algorithm, ALGORITHM);
  const { implementation = 'auto' } = checkOptions(options, CODEC_RULES);
  return loadOnce(loaded, `${algorithm} ${implementation}`, () => load(algorithm, implementation));
}

async function load(algorithm: CompressionAlgorithm, implementation: Implementation): Promise<Codec> {
  const codec = await CODECS[algorithm](implementation);
  return {
    ...codec,
    compress: (data, options = {}) => codec.compress(data, checkOptions(options, COMPRESS_RULES)),
  };
}
