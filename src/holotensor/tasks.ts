import { inTurns, nextTask } from '../async/steps.js';
import { localCopies, type TaskResult } from '../bytes/sharedMemory.js';
import { Budget, limitsOf } from '../checks/limits.js';
import { loadDecodingOf } from '../encodings/decodings.js';
import { loadKernels } from '../kernels/loadKernels.js';
import type { HoloTensorDecoderOptions, RangeOption } from './decodeOptions.js';
import { HoloTensorDecoder } from './decoder.js';
import type { FragmentIndexEntry, HoloFragment, ReceivedFragment } from './fragment.js';
import { parseHoloTensorHeader } from './header.js';
import type { ReconstructionQuality } from './quality.js';
import {
  type Reconstruction,
  type ReconstructionOptions,
  reconstructing,
  reconstructingInto,
} from './reconstruction.js';
import { FragmentUnpacker, type UnpackOptions } from './unpack.js';

/** The tasks of workers with fragments. */

/** Fragments of one tensor as its file stores them. */
export interface StoredTensor {
  /** The 96 bytes of the header. */
  readonly header: Uint8Array;
  readonly fragments: readonly { readonly entry: FragmentIndexEntry; readonly stored: Uint8Array }[];
  /** All but kernels, which do not pass between threads. */
  readonly options: Omit<HoloTensorDecoderOptions, 'kernels'> &
    RangeOption &
    ReconstructionOptions &
    UnpackOptions;
  /** Bytes that have been received beside these fragments, and pay for the tensor, too. */
  readonly received?: number | undefined;
  /** Where the bytes of the elements go, shared memory or not, aligned as these are. Default: a new array. */
  readonly out?: Uint8Array | undefined;
}

/**
 * Task: the best tensor from these fragments.
 * @throws FormatError, ChecksumError, CodecError, LimitError
 */
export async function reconstructStored(
  { header: headerBytes, fragments, options, received, out }: StoredTensor,
  signal: AbortSignal,
): Promise<TaskResult<Omit<Reconstruction, 'header'>>> {
  const header = parseHoloTensorHeader(headerBytes);
  const [kernels] = await Promise.all([loadKernels(['xxh3']), loadDecodingOf(header)]);
  const unpacker = new FragmentUnpacker(kernels, options);
  const decoder = new HoloTensorDecoder(header, options, new Budget(limitsOf(options), received));
  const local = localCopies(fragments.map(({ stored }) => stored));
  for (const [i, { entry }] of fragments.entries()) {
    const fragment = await unpacker.unpack({ header, entry, stored: local[i]! });
    // Lets messages in, and an abort with them.
    await nextTask();
    signal.throwIfAborted();
    await inTurns(decoder.adding(fragment), signal);
  }
  await inTurns(decoder.settling(), signal);
  const steps =
    out === undefined ? reconstructing(decoder, options) : reconstructingInto(out, decoder, options);
  const { header: _, ...output } = await inTurns(steps, signal);
  return { output, transfer: [output.data.buffer] };
}

/** One step in the refinement of a tensor: adds a fragment, or reconstructs from those so far. */
export interface ReconstructStep {
  /** The 96 bytes of the header. */
  readonly header: Uint8Array;
  /** All but kernels, which do not pass between threads. */
  readonly options: Omit<HoloTensorDecoderOptions, 'kernels'> & ReconstructionOptions;
  /** The fragment to add. Without one, the step reconstructs. */
  readonly fragment?: (HoloFragment & Pick<ReceivedFragment, 'entry'>) | undefined;
  /** No more fragments will come: see {@link HoloTensorDecoder.settling}. */
  readonly isLast?: boolean | undefined;
  /** For dtype 'F32': where the numbers go. Default: a new array. */
  readonly out?: Float32Array | undefined;
}

export interface ReconstructStepOutput {
  readonly fragments: number;
  /** A reconstruction is paid for. */
  readonly usable: boolean;
  /** Fragments wait to be paid for. */
  readonly waits: boolean;
  readonly quality: ReconstructionQuality;
  readonly reconstruction?: Omit<Reconstruction, 'header'>;
}

/**
 * Task of a session, which keeps the decoder.
 * @throws FormatError, ArgumentError, LimitError
 */
export async function reconstructStep(
  { header: headerBytes, options, fragment, isLast, out }: ReconstructStep,
  signal: AbortSignal,
  state: { decoder?: HoloTensorDecoder },
): Promise<TaskResult<ReconstructStepOutput>> {
  state.decoder ??= await createDecoder(headerBytes, options);
  const { decoder } = state;
  if (fragment !== undefined) {
    await inTurns(decoder.adding(fragment), signal);
    return { output: stateOf(decoder), transfer: [] };
  }
  if (isLast) await inTurns(decoder.settling(), signal);
  const { header: _, ...reconstruction } = await inTurns(reconstructing(decoder, options, out), signal);
  const { fragments, quality, data } = reconstruction;
  const output = { ...stateOf(decoder), fragments, quality, reconstruction };
  return { output, transfer: [data.buffer] };
}

function stateOf({ fragments, usable, waits, quality }: HoloTensorDecoder): ReconstructStepOutput {
  return { fragments, usable, waits, quality };
}

async function createDecoder(
  headerBytes: Uint8Array,
  options: ReconstructStep['options'],
): Promise<HoloTensorDecoder> {
  const header = parseHoloTensorHeader(headerBytes);
  await loadDecodingOf(header);
  return new HoloTensorDecoder(header, options);
}
