import type { Rules } from '../checks/options.js';
import {
  type BlockDecoder,
  type Codec,
  type CompressionAlgorithm,
  IMPLEMENTATION,
  type Implementation,
} from '../codecs/codec.js';
import { loadCodec } from '../codecs/loadCodec.js';
import { loadDecoder } from '../codecs/loadDecoder.js';
import type { Kernels } from '../kernels/kernels.js';
import { loadKernels } from '../kernels/loadKernels.js';
import type { HctHeader } from './header.js';

/** Which implementations of hashes and codecs read and write HCT files. */
export interface ImplementationOptions {
  /** Which implementation of codec and checksum does the work. Default 'auto': the fastest that the engine offers. */
  readonly implementation?: Implementation | undefined;
}

export const IMPLEMENTATION_RULES: Rules<ImplementationOptions> = { implementation: IMPLEMENTATION };

/** What a header says of the blocks of its file. */
export type BlockFormat = Pick<HctHeader, 'algorithm' | 'blockSize'>;

/** Codec and kernels for blocks, loaded once per file. Reading needs only a decoder. */
export interface HctTools<C extends BlockDecoder = BlockDecoder> {
  readonly codec: C;
  readonly kernels: Pick<Kernels, 'xxh3'>;
}

/** @throws UnsupportedError when the requested implementation is not available */
export function loadHctReadTools(
  { algorithm, blockSize }: BlockFormat,
  { implementation }: ImplementationOptions,
): Promise<HctTools> {
  return withKernels(loadDecoder(algorithm, { implementation, largestBlock: blockSize }), implementation);
}

/** @throws UnsupportedError when the requested implementation is not available */
export function loadHctWriteTools(
  algorithm: CompressionAlgorithm,
  { implementation }: ImplementationOptions,
): Promise<HctTools<Codec>> {
  return withKernels(loadCodec(algorithm, { implementation }), implementation);
}

/** The checksum alone, which readers need for the header. */
export function loadChecksum({ implementation }: ImplementationOptions): Promise<HctTools['kernels']> {
  return loadKernels(['xxh3'], { implementation: implementation === 'portable' ? 'portable' : 'auto' });
}

async function withKernels<C extends BlockDecoder>(
  loading: Promise<C>,
  implementation: Implementation | undefined,
): Promise<HctTools<C>> {
  const [codec, kernels] = await Promise.all([loading, loadChecksum({ implementation })]);
  return { codec, kernels };
}
