import { loadCodec } from '../../src/codecs/loadCodec.js';
import type { HolographicEncoding } from '../../src/encodings/encoding.js';
import { HOLO_MAX_RANK } from '../../src/holotensor/constants.js';
import { HoloTensorEncoder } from '../../src/holotensor/encoder.js';
import { packHoloTensor } from '../../src/holotensor/pack.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import type { SafetensorsTensor } from '../../src/safetensors/header.js';
import { DTYPES, type DType, elementCount } from '../../src/tensor/dtype.js';
import { viewElements } from '../../src/tensor/tensor.js';

/** How tensors are cut into fragments, with the options of the encoding (fragments, qualities, layout, rank, …). */
export interface FragmentOptions {
  /** Default 'embedded', which is lossless. */
  readonly encoding?: HolographicEncoding | undefined;
  readonly fragments?: number | undefined;
  readonly qualities?: readonly (number | 'exact')[] | undefined;
}

/** A tensor as pieces of a model file. */
export interface EncodedPieces {
  readonly cosines: readonly number[];
  /** HoloTensor header and index, then the fragments as stored: joined, they are a HoloTensor file. */
  readonly pieces: readonly Uint8Array[];
}

/** In smaller tensors, the names and headers of fragments cost more bytes than fragments save. */
const MIN_ELEMENTS = 1024;

/** True for tensors that gain by fragments: floating-point and not small. */
export function isWorthEncoding({ dtype, shape }: Pick<SafetensorsTensor, 'dtype' | 'shape'>): boolean {
  return ['F32', 'F16', 'BF16'].includes(dtype) && elementCount(shape) >= MIN_ELEMENTS;
}

/**
 * A fragment costs about 130 bytes beside its payload: its entries in the header, in the plan and in its tensor's index. So
 * large tensors have a rung for each quality that is useful, and small ones fewer.
 */
const BYTES_PER_FRAGMENT = 1500;
const MAX_FRAGMENTS = 12;

function defaultFragments(byteLength: number): number {
  return Math.min(MAX_FRAGMENTS, Math.max(3, Math.floor(byteLength / BYTES_PER_FRAGMENT)));
}

/** @throws ArgumentError for options that are not those of the encoding */
export function tensorEncoder(
  { encoding = 'embedded', ...options }: FragmentOptions,
  kernels: Kernels,
): HoloTensorEncoder<HolographicEncoding> {
  return new HoloTensorEncoder(encoding, { ...options, kernels });
}

export async function encodeTensor(
  { dtype, shape }: Pick<SafetensorsTensor, 'dtype' | 'shape'>,
  bytes: Uint8Array,
  options: FragmentOptions,
): Promise<EncodedPieces> {
  const kernels = await loadKernels();
  const codec = await loadCodec('zstd');
  const elementType: DType = DTYPES.find((known) => known === dtype)!;
  const isFree = options.fragments === undefined && options.qualities === undefined;
  const count = isFree ? { fragments: defaultFragments(bytes.length) } : {};
  const encoder = tensorEncoder({ ...options, ...count }, kernels);
  const { header, fragments, cosines } = encoder.encodeTensor({
    dtype: elementType,
    // HoloTensor has room for four dimensions; the true shape is in the plan.
    shape: shape.length > HOLO_MAX_RANK ? [elementCount(shape)] : shape,
    data: viewElements(dtype, bytes),
  });
  // The plan and the loader number fragments: the pieces must be in that order.
  const inOrder = [...fragments].sort((a, b) => a.index - b.index);
  return { cosines, pieces: packHoloTensor(header, inOrder, { codec, kernels }) };
}
