import { inTurns, nextTask } from '../async/steps.js';
import { localCopies } from '../bytes/localCopies.js';
import { ReusedMemory } from '../bytes/reusedMemory.js';
import { free, type TaskResult } from '../bytes/sharedMemory.js';
import { Budget, limitsOf } from '../checks/limits.js';
import { loadDecodingOf } from '../encodings/decodings.js';
import { loadKernels } from '../kernels/loadKernels.js';
import type { HoloTensorDecoderOptions, RangeOption } from './decodeOptions.js';
import { HoloTensorDecoder } from './decoder.js';
import type { FragmentIndexEntry, HoloFragment, ReceivedFragment, StoredFragment } from './fragment.js';
import { parseHoloTensorHeader } from './header.js';
import type { ReconstructionQuality } from './quality.js';
import {
  type Reconstruction,
  type ReconstructionOptions,
  reconstructing,
  reconstructingInto,
  spareNumbers,
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
  /** Where the bytes of the elements go, shared memory or not, aligned as these are. Default: a new array. */
  readonly out?: Uint8Array | undefined;
  /** Where other tensors are decoded, too: bytes received for all of them before this one, which pay for each other. */
  readonly received?: number | undefined;
}

/** Most bytes that a thread keeps for the states of the next tensor. */
const KEPT_BYTES = 2 ** 25;

/** Tasks of a thread run one after another. */
const memory = new ReusedMemory(KEPT_BYTES);

/**
 * Task: the best tensor from these fragments.
 * @throws FormatError, ChecksumError, CodecError, LimitError
 */
export async function reconstructStored(
  { header: headerBytes, fragments, options, out, received }: StoredTensor,
  signal: AbortSignal,
): Promise<TaskResult<Omit<Reconstruction, 'header'>>> {
  const header = parseHoloTensorHeader(headerBytes);
  const [kernels] = await Promise.all([loadKernels(['xxh3']), loadDecodingOf(header)]);
  const unpacker = new FragmentUnpacker(kernels, options);
  const budget = new Budget(limitsOf(options), received);
  const decoder = new HoloTensorDecoder(header, options, budget, memory);
  if (options.dtype === 'source') spareNumbers(decoder, budget);
  const all = fragments.map(({ stored }) => stored);
  // Units of the embedded encoding are read once or twice, in pieces: to copy all of them before would take as long, and memory.
  const local = header.encoding === 'embedded' ? all : localCopies(all);
  try {
    for (const [i, { entry }] of fragments.entries()) {
      const fragment = await unpacker.unpack({ header, entry, stored: local[i]! }, { signal });
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
  } finally {
    decoder.free();
  }
}

/** One step in the refinement of a tensor: adds a fragment, or reconstructs from those so far, or both. */
export interface ReconstructStep {
  /** The 96 bytes of the header. */
  readonly header: Uint8Array;
  /** All but kernels, which do not pass between threads. */
  readonly options: Omit<HoloTensorDecoderOptions, 'kernels'> & ReconstructionOptions & UnpackOptions;
  /**
   * Where other tensors are decoded, too: bytes received for all of them before this fragment, which pay for each other. From the
   * first step on, or never.
   */
  readonly received?: number | undefined;
  /** The fragment to add: its payload, or as its file stores it. */
  readonly fragment?:
    | (HoloFragment & Pick<ReceivedFragment, 'entry'>)
    | Pick<StoredFragment, 'entry' | 'stored'>
    | undefined;
  /** No more fragments will come: see {@link HoloTensorDecoder.settling}. */
  readonly isLast?: boolean | undefined;
  /** Asks for the tensor. */
  readonly reconstruct?:
    | {
        /** Where it goes: the numbers of dtype 'F32', or the bytes of the elements. Default: a new array. */
        readonly out?: Float32Array | Uint8Array | undefined;
        /** Memory may be freed on the way: another reconstruction takes longer. */
        readonly isLast?: boolean | undefined;
      }
    | undefined;
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

/** What a session keeps. */
interface Refinement {
  readonly decoder: HoloTensorDecoder;
  readonly unpacker: FragmentUnpacker;
  /** What the decoder may read again. */
  readonly payloads: Uint8Array[];
  /** Of the bytes of all tensors. */
  readonly budget: Budget | undefined;
}

/** Of a session. */
interface RefinementState {
  refinement?: Refinement;
  close?: () => void;
}

/**
 * Task of a session, which keeps the decoder.
 * @throws FormatError, ArgumentError, LimitError; for a stored fragment ChecksumError, CodecError
 */
export async function reconstructStep(
  { header: headerBytes, options, received, fragment, isLast, reconstruct }: ReconstructStep,
  signal: AbortSignal,
  state: RefinementState,
): Promise<TaskResult<ReconstructStepOutput>> {
  state.refinement ??= await refinementOf(headerBytes, options, received);
  const { decoder, unpacker, budget, payloads } = state.refinement;
  state.close ??= () => {
    decoder.free();
    free(payloads.map(({ buffer }) => buffer));
  };
  if (budget !== undefined && received !== undefined) {
    budget.received = received;
    budget.limits = limitsOf(options);
  }
  if (fragment !== undefined) {
    const { header } = decoder;
    const unpacked =
      'stored' in fragment ? await unpacker.unpack({ ...fragment, header }, { signal }) : fragment;
    payloads.push(unpacked.data);
    if ('stored' in fragment && fragment.stored !== unpacked.data) free([fragment.stored.buffer]);
    await inTurns(decoder.adding(unpacked), signal);
  }
  if (isLast) await inTurns(decoder.settling(), signal);
  if (reconstruct === undefined) return { output: stateOf(decoder), transfer: [] };
  const { out } = reconstruct;
  const steps =
    out instanceof Uint8Array
      ? reconstructingInto(out, decoder, options, reconstruct.isLast)
      : reconstructing(decoder, options, out, reconstruct.isLast);
  const { header: _, ...reconstruction } = await inTurns(steps, signal);
  const { fragments, quality, data } = reconstruction;
  const output = { ...stateOf(decoder), fragments, quality, reconstruction };
  return { output, transfer: [data.buffer] };
}

function stateOf({ fragments, usable, waits, quality }: HoloTensorDecoder): ReconstructStepOutput {
  return { fragments, usable, waits, quality };
}

async function refinementOf(
  headerBytes: Uint8Array,
  options: ReconstructStep['options'],
  received: number | undefined,
): Promise<Refinement> {
  const header = parseHoloTensorHeader(headerBytes);
  const [kernels] = await Promise.all([loadKernels(['xxh3']), loadDecodingOf(header)]);
  const budget = received === undefined ? undefined : new Budget(limitsOf(options), received);
  const decoder = new HoloTensorDecoder(header, options, budget);
  return { decoder, unpacker: new FragmentUnpacker(kernels, options), payloads: [], budget };
}
