import { loadKernels } from '../kernels/loadKernels.js';
import { loadOnce } from '../loadOnce.js';
import { type BlockDecoder, byAlgorithm, type CompressionAlgorithm, type Implementation } from './codec.js';

export interface CodecOptions {
  /** Default 'auto': the fastest that this engine and its content security policy allow. */
  readonly implementation?: Implementation | undefined;
}

export interface DecoderOptions extends CodecOptions {
  /** Bytes of the largest block that will be decoded. Default: not very large. */
  readonly largestBlock?: number | undefined;
}

/** The table of decoders, separate from that of codecs, so that decoding loads no encoder. */
const DECODERS: Readonly<
  Record<CompressionAlgorithm, (implementation: Implementation) => Promise<BlockDecoder>>
> = {
  lz4: (implementation) => import('./lz4.js').then(({ loadLz4Decoder }) => loadLz4Decoder(implementation)),
  zstd: (implementation) =>
    import('./zstd.js').then(({ loadZstdDecoder }) => loadZstdDecoder(implementation)),
};

/**
 * A wasm memory may not hold blocks of this size beside their output: the portable kernels are loaded as well then. Up
 * to here, phones with little memory hold both.
 */
const LARGE_BLOCK_BYTES = 2 ** 26;

/** The algorithms whose decoders are kernels, with a subject of the same name. */
const KERNEL_SUBJECTS = ['lz4', 'zstd'] as const;

const loaded = new Map<string, Promise<BlockDecoder>>();

/**
 * The decoder of an algorithm, ready for synchronous use. It is loaded once and shared by all callers. Programs
 * that only read call this in place of `loadCodec`: it does not load the Zstd encoder.
 *
 * @throws ArgumentError for an unknown algorithm; UnsupportedError when the requested implementation is not available
 */
export function loadDecoder(
  algorithm: CompressionAlgorithm,
  { implementation = 'auto', largestBlock = 0 }: DecoderOptions = {},
): Promise<BlockDecoder> {
  const decoder = loadOnce(loaded, `${algorithm} ${implementation}`, () => load(algorithm, implementation));
  return largestBlock < LARGE_BLOCK_BYTES ? decoder : withPortable(decoder);
}

async function withPortable(loading: Promise<BlockDecoder>): Promise<BlockDecoder> {
  const decoder = await loading;
  const subject = KERNEL_SUBJECTS.find((name) => name === decoder.algorithm);
  if (subject !== undefined && decoder.implementation === 'wasm') {
    await loadKernels([subject], { implementation: 'portable' });
  }
  return decoder;
}

async function load(algorithm: CompressionAlgorithm, implementation: Implementation): Promise<BlockDecoder> {
  return byAlgorithm(DECODERS, algorithm)(implementation);
}
