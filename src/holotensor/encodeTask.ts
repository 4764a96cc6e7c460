import { inTurns } from '../async/steps.js';
import type { TaskResult } from '../bytes/sharedMemory.js';
import type { EncodeMemory, HolographicEncoding } from '../encodings/encoding.js';
import { loadKernels } from '../kernels/loadKernels.js';
import type { DType } from '../tensor/dtype.js';
import { viewElements } from '../tensor/tensor.js';
import { HoloTensorEncoder, type HoloTensorEncoderOptions } from './encoder.js';
import type { HoloFragment } from './fragment.js';
import { serializeHoloTensorHeader } from './serializeHeader.js';

/** The task of workers that cuts tensors into fragments. */

export interface EncodeFragments {
  readonly encoding: HolographicEncoding;
  /** All but kernels, which do not pass between threads. */
  readonly options: Omit<HoloTensorEncoderOptions, 'kernels'>;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The bytes of the elements, in shared memory or not. */
  readonly data: Uint8Array;
  /** It comes back with the output, and so does that of the elements if they may be overwritten. */
  readonly memory?: EncodeMemory | undefined;
}

export interface EncodedFragments {
  /** The 96 bytes of the header of a file that is not compressed. */
  readonly header: Uint8Array;
  readonly fragments: readonly HoloFragment[];
  /** See `EncodedTensor`. */
  readonly cosines: readonly number[];
  /** What was lent: the memory of the elements, which may hold anything, and that of payloads. */
  readonly returned: {
    readonly data: ArrayBufferLike | undefined;
    readonly payloads: ArrayBufferLike | undefined;
  };
}

/**
 * Task: cuts a tensor into fragments. Compressing them is left to the caller: the fastest compressor is not in workers.
 * @throws ArgumentError for options that cannot work, and for elements that the encoding cannot carry
 */
export async function encodeFragments(
  { encoding, options, dtype, shape, data, memory }: EncodeFragments,
  signal?: AbortSignal,
): Promise<TaskResult<EncodedFragments>> {
  const encoder = new HoloTensorEncoder(encoding, { ...options, kernels: await loadKernels() });
  const tensor = { dtype, shape, data: viewElements(dtype, data) };
  const { header, fragments, cosines } = await inTurns(encoder.encodingTensor(tensor, memory), signal);
  const { mayOverwrite = false, payloads } = memory ?? {};
  const returned = { data: mayOverwrite ? data.buffer : undefined, payloads: payloads?.buffer };
  const lent = Object.values(returned).filter((buffer) => buffer !== undefined);
  const buffers = new Set([...lent, ...fragments.map(({ data: { buffer } }) => buffer)]);
  return {
    output: { header: serializeHoloTensorHeader(header), fragments, cosines, returned },
    transfer: [...buffers],
  };
}
