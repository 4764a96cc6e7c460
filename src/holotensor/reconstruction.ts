import type { Steps } from '../async/steps.js';
import type { Budget } from '../checks/limits.js';
import { oneOf, type Rules } from '../checks/options.js';
import { byteLengthOf, type DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { HoloTensorDecoder } from './decoder.js';
import type { HoloTensorHeader } from './header.js';
import type { ReconstructionQuality } from './quality.js';

/** The best tensor from the fragments so far, and its quality. */
export interface Reconstruction extends Tensor<DType> {
  readonly header: HoloTensorHeader;
  readonly quality: ReconstructionQuality;
  /** Number of different fragments in it. */
  readonly fragments: number;
  readonly total: number;
  /** True when no fragment is missing. */
  readonly complete: boolean;
}

/** As what a reconstruction is given out. */
export interface ReconstructionOptions {
  /**
   * Dtype of the data: 'F32' (the default) gives numbers; 'source' the dtype that was encoded, bit for bit where the
   * encoding is lossless and complete, else rounded to the nearest.
   */
  readonly dtype?: 'F32' | 'source' | undefined;
}

export const RECONSTRUCTION_RULES: Rules<ReconstructionOptions> = {
  dtype: /* @__PURE__ */ oneOf(['F32', 'source']),
};

/**
 * Takes the numbers off what a decoder spends that gives out elements only, where it makes these without numbers.
 * @param budget of the decoder, to which nothing has been added
 */
export function spareNumbers({ header, elements }: HoloTensorDecoder, budget: Budget): void {
  if (header.encoding !== 'embedded') return;
  const numbers = Float32Array.BYTES_PER_ELEMENT * elements;
  budget.spend({ bytes: byteLengthOf(header.dtype, elements) - numbers, steps: 0 });
}

/**
 * @param isLast frees memory on the way, for dtype 'source': another reconstruction takes longer
 * @param out for 'F32': where to write, with the length of the tensor; default: a new array
 * @throws ArgumentError for an `out` of another length
 */
export function* reconstructing(
  decoder: HoloTensorDecoder,
  { dtype = 'F32' }: ReconstructionOptions = {},
  out?: Float32Array,
  isLast = false,
): Steps<Reconstruction> {
  if (dtype === 'source') return withQuality(decoder, yield* decoder.reconstructingTensor(undefined, isLast));
  const data = yield* decoder.reconstructing(out);
  return withQuality(decoder, { dtype, shape: decoder.header.shape, data });
}

/**
 * The same in the caller's memory.
 * @param out where the bytes of the elements go; for 'F32', aligned to 4 bytes
 */
export function* reconstructingInto(
  out: Uint8Array,
  decoder: HoloTensorDecoder,
  options: ReconstructionOptions,
  isLast = false,
): Steps<Reconstruction> {
  if (options.dtype === 'source')
    return withQuality(decoder, yield* decoder.reconstructingTensor(out, isLast));
  const numbers = new Float32Array(out.buffer, out.byteOffset, out.length / 4);
  return yield* reconstructing(decoder, options, numbers);
}

function withQuality(
  { header, quality, fragments, total, complete }: HoloTensorDecoder,
  tensor: Tensor<DType>,
): Reconstruction {
  return { ...tensor, header, quality, fragments, total, complete };
}
