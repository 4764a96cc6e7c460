import { loadOnce } from '../async/loadOnce.js';
import { check, checkOptions, number, type Rules } from '../checks/options.js';
import { loadKernels } from '../kernels/loadKernels.js';
import {
  ALGORITHM,
  type BlockDecoder,
  type CompressionAlgorithm,
  IMPLEMENTATION,
  type Implementation,
} from './codec.js';

/** Which implementation of a codec is loaded. */
export interface CodecOptions {
  /** Default 'auto': the fastest that this engine and its content security policy allow. */
  readonly implementation?: Implementation | undefined;
}

export const CODEC_RULES: Rules<CodecOptions> = { implementation: IMPLEMENTATION };

export interface DecoderOptions extends CodecOptions {
  /** Bytes of the largest block that will be decoded: for very large ones, the portable decoder is loaded, too. Default 0. */
  readonly largestBlock?: number | undefined;
}

const DECODER_RULES: Rules<DecoderOptions> = { ...CODEC_RULES, largestBlock: /* @__PURE__ */ number() };

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
export async function loadDecoder(
  algorithm: CompressionAlgorithm,
  options: DecoderOptions = {},
): Promise<BlockDecoder> {
  check('algorithm', algorithm, ALGORITHM);
  const { implementation = 'auto', largestBlock = 0 } = checkOptions(options, DECODER_RULES);
  const key = `${algorithm} ${implementation}`;
  const decoder = loadOnce(loaded, key, () => DECODERS[algorithm](implementation));
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
