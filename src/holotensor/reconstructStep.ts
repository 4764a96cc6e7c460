import type { TaskResult } from '../bytes/sharedMemory.js';
import { loadDecodings } from '../encodings/decodings.js';
import { HoloTensorDecoder, type HoloTensorDecoderOptions } from './decoder.js';
import type { HoloFragment } from './fragment.js';
import { parseHoloTensorHeader } from './header.js';
import type { ReconstructionQuality } from './quality.js';
import { type Reconstruction, type ReconstructionOptions, reconstructionOf } from './reconstruction.js';

/** One step on the way of a tensor that gets better: a fragment more, or what they make. */
export interface ReconstructStep {
  /** The 96 bytes of the header. */
  readonly header: Uint8Array;
  /** All but kernels, which do not pass between threads. */
  readonly options: Omit<HoloTensorDecoderOptions, 'kernels'> & ReconstructionOptions;
  /** The fragment to add; without one, the tensor is wanted. */
  readonly fragment?: HoloFragment | undefined;
  /** For dtype 'F32': where the numbers go. Default: a new array. */
  readonly out?: Float32Array | undefined;
}

export interface ReconstructStepOutput {
  readonly fragments: number;
  readonly quality: ReconstructionQuality;
  readonly reconstruction?: Omit<Reconstruction, 'header'>;
}

/**
 * Task of a session, which keeps the decoder.
 * @throws FormatError, ArgumentError, LimitError
 */
export async function reconstructStep(
  { header: headerBytes, options, fragment, out }: ReconstructStep,
  _signal: AbortSignal,
  state: { decoder?: HoloTensorDecoder },
): Promise<TaskResult<ReconstructStepOutput>> {
  state.decoder ??= await createDecoder(headerBytes, options);
  const { decoder } = state;
  if (fragment !== undefined) {
    decoder.addFragment(fragment);
    return { output: { fragments: decoder.fragments, quality: decoder.quality }, transfer: [] };
  }
  const { header: _, ...reconstruction } = reconstructionOf(decoder, options, out);
  const { fragments, quality, data } = reconstruction;
  return { output: { fragments, quality, reconstruction }, transfer: [data.buffer] };
}

async function createDecoder(
  headerBytes: Uint8Array,
  options: ReconstructStep['options'],
): Promise<HoloTensorDecoder> {
  const header = parseHoloTensorHeader(headerBytes);
  await loadDecodings([header.encoding]);
  return new HoloTensorDecoder(header, options);
}
