import type { ReusedMemory } from '../../src/bytes/reusedMemory.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import type { Codec } from '../../src/codecs/codec.js';
import type { HolographicEncoding } from '../../src/encodings/encoding.js';
import { HoloTensorEncoder } from '../../src/holotensor/encoder.js';
import { encodeFragments } from '../../src/holotensor/encodeTask.js';
import { parseHoloTensorHeader } from '../../src/holotensor/header.js';
import { packHoloTensor } from '../../src/holotensor/pack.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import type { SafetensorsTensor } from '../../src/safetensors/header.js';
import { DTYPES, elementCount } from '../../src/tensor/dtype.js';
import type { Buffers } from '../../workers/buffers.js';
import type { WorkerPool } from '../../workers/pool.js';
import { MIN_WORKER_BYTES } from '../../workers/task.js';
import { encodeShortTensor } from './encodeShortTensor.js';
import { encodedShape, MAX_SHORT, packFirstPiece } from './firstPiece.js';

/** How tensors are cut into fragments, with the options of the encoding (fragments, qualities, layout, rank, …). */
export interface FragmentOptions {
  /** Default 'embedded', which is lossless. */
  readonly encoding?: HolographicEncoding | undefined;
  readonly fragments?: number | undefined;
  readonly qualities?: readonly (number | 'exact')[] | undefined;
}

/** How many fragments are asked of each tensor; undefined where that is left to the encoder. */
export function askedFragments({ fragments, qualities }: FragmentOptions): number | undefined {
  return qualities === undefined ? fragments : qualities.filter((one) => one !== 'exact').length + 1;
}

/** A tensor as pieces of a model file. */
export interface EncodedPieces {
  readonly cosines: readonly number[];
  /** What is before the fragments, packed, then the fragments as stored. */
  readonly pieces: readonly Uint8Array[];
  /** Memory that pieces may be in, to be given back to that of payloads when they have been written. */
  readonly room?: ArrayBufferLike | undefined;
}

const FLOATS: readonly string[] = ['F32', 'F16', 'BF16', 'F8_E4M3', 'F8_E5M2'];

/** True for tensors that gain by fragments of an encoding: floating-point and not small. The heads of fragments cost some bytes. */
export function isWorthEncoding({ dtype, shape }: Pick<SafetensorsTensor, 'dtype' | 'shape'>): boolean {
  return FLOATS.includes(dtype) && elementCount(shape) > MAX_SHORT;
}

/** In smaller tensors, the parts cost as many bytes as come later. */
const MIN_SHORT = 24;

/** True for small tensors that are cut in two parts, whatever the encoding of others is. */
export function isShort({ dtype, shape }: Pick<SafetensorsTensor, 'dtype' | 'shape'>): boolean {
  const elements = elementCount(shape);
  return dtype === 'F32' && elements >= MIN_SHORT && elements <= MAX_SHORT;
}

/**
 * A fragment costs about 22 bytes: in the plan, in its tensor's first piece, and its own head. So
 * large tensors have a rung for each quality that is useful, and small ones fewer: from 12 rungs on, four more pay only
 * where they cost a two-thousandth. `docs/tasks.md` has the measurements.
 */
const BYTES_PER_FRAGMENT = 1500;
const LEAST_FRAGMENTS = 3;
const MANY_FRAGMENTS = 12;
const MOST_FRAGMENTS = 16;
const LARGE_TENSOR = 2 ** 20;

function defaultFragments(byteLength: number): number {
  if (byteLength >= LARGE_TENSOR) return MOST_FRAGMENTS;
  return Math.min(MANY_FRAGMENTS, Math.max(LEAST_FRAGMENTS, Math.floor(byteLength / BYTES_PER_FRAGMENT)));
}

/** The options as a tensor of this size is encoded by them, defaults included. */
export function resolvedOptions(
  { encoding = 'embedded', ...options }: FragmentOptions,
  byteLength: number,
): FragmentOptions & { readonly encoding: HolographicEncoding } {
  const isFree = askedFragments(options) === undefined;
  return { encoding, ...options, ...(isFree && { fragments: defaultFragments(byteLength) }) };
}

/** How a cut tensor is encoded by these options, in full: what is encoded anew when this changes. */
export function cutBy(
  tensor: Pick<SafetensorsTensor, 'dtype' | 'shape' | 'byteLength'>,
  options: FragmentOptions,
): FragmentOptions | 'short' {
  return isShort(tensor) ? 'short' : resolvedOptions(options, tensor.byteLength);
}

/** @throws ArgumentError for options that are not those of the encoding */
export function checkFragmentOptions({ encoding = 'embedded', ...options }: FragmentOptions): void {
  new HoloTensorEncoder(encoding, options);
}

/** What encodes: the codec for payloads that it makes smaller, and threads, if there are any. */
export interface EncodeTools {
  readonly kernels: Kernels;
  readonly codec: Codec;
  readonly pool: WorkerPool | undefined;
}

/** Memory of tensors that are encoded one after another: pages of payloads are mapped only as far as they are used. */
export interface TensorMemory {
  readonly tensors: ReusedMemory;
  readonly payloads: ReusedMemory;
}

export interface EncodeTensorOptions extends AbortOptions {
  /** Where the bytes of the tensor come from, and go once it is encoded: they may be overwritten, and transferred. */
  readonly memory?: TensorMemory | undefined;
}

/** @throws ArgumentError for what the encoding cannot carry; WorkerError; the reason of the signal */
export async function encodeTensor(
  { dtype, shape }: Pick<SafetensorsTensor, 'dtype' | 'shape'>,
  bytes: Uint8Array,
  fragmentOptions: FragmentOptions,
  { kernels, codec, pool }: EncodeTools,
  { signal, memory: reused }: EncodeTensorOptions,
): Promise<EncodedPieces> {
  if (isShort({ dtype, shape })) return encodeShortTensor(bytes, kernels);
  // The bytes may be transferred.
  const byteLength = bytes.length;
  const { encoding, ...options } = resolvedOptions(fragmentOptions, byteLength);
  const input = {
    encoding,
    options,
    dtype: DTYPES.find((known) => known === dtype)!,
    shape: encodedShape(shape),
  };
  const memoryOf = ({ payloads }: TensorMemory) => ({
    mayOverwrite: true,
    payloads: payloads.take(bytes.length),
  });
  const prepare = (buffers: Buffers) => {
    if (reused !== undefined) {
      const memory = memoryOf(reused);
      return { input: { ...input, data: bytes, memory }, transfer: [bytes.buffer, memory.payloads.buffer] };
    }
    const data = buffers.copy(bytes);
    return { input: { ...input, data }, borrowed: data === bytes ? [] : [data.buffer] };
  };
  const encode = async () => {
    const memory = reused && memoryOf(reused);
    return (await encodeFragments({ ...input, data: bytes, memory }, signal)).output;
  };
  const { header, fragments, cosines, returned } =
    pool !== undefined && bytes.length >= MIN_WORKER_BYTES.encoding
      ? await pool.runPrepared('encodeFragments', prepare, { signal })
      : await encode();
  // Before what compresses them takes more: fragments are elsewhere.
  if (returned.data !== undefined) reused?.tensors.give(returned.data);
  // The plan and the loader number fragments: the pieces must be in that order.
  const inOrder = [...fragments].sort((a, b) => a.index - b.index);
  const [front, ...stored] = packHoloTensor(parseHoloTensorHeader(header), inOrder, { codec, kernels });
  const sizes = stored.map(({ length }) => length);
  const first = packFirstPiece(front!, { dtype, shape, byteLength, sizes }, kernels);
  return { cosines, pieces: [first, ...stored], room: returned.payloads };
}
