import type { Codec, CompressionAlgorithm, Implementation } from '../codecs/codec.js';
import { loadCodec } from '../codecs/loadCodec.js';
import type { Kernels } from '../kernels/kernels.js';
import { loadKernels } from '../kernels/loadKernels.js';

export interface ImplementationOptions {
  /** Which implementation of codec and checksum does the work. Default 'auto': the fastest that the engine offers. */
  readonly implementation?: Implementation | undefined;
}

/** What works on blocks, loaded once a file. */
export interface HctTools {
  readonly codec: Codec;
  readonly kernels: Pick<Kernels, 'xxh3'>;
}

/** @throws UnsupportedError when the implementation asked for is not to be had */
export async function loadHctTools(
  algorithm: CompressionAlgorithm,
  { implementation }: ImplementationOptions,
): Promise<HctTools> {
  const [codec, kernels] = await Promise.all([
    loadCodec(algorithm, { implementation }),
    loadKernels({ implementation: implementation === 'portable' ? 'portable' : 'auto' }),
  ]);
  return { codec, kernels };
}
