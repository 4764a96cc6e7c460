import { ArgumentError } from '../errors.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { HoloTensorDecoder } from './decoder.js';
import type { HoloTensorHeader } from './header.js';
import type { ReconstructionQuality } from './quality.js';

/** A tensor as good as the fragments so far allow, and how good that is. */
export interface Reconstruction extends Tensor<DType> {
  readonly header: HoloTensorHeader;
  readonly quality: ReconstructionQuality;
  /** Different fragments that it was made of. */
  readonly fragments: number;
  readonly total: number;
  /** True when no fragment is missing. */
  readonly complete: boolean;
}

export interface ReconstructionOptions {
  /**
   * Dtype of the data: 'F32' (the default) gives numbers; 'source' the dtype that was encoded, bit for bit where the
   * encoding is lossless and complete, else rounded to the nearest.
   */
  readonly dtype?: 'F32' | 'source' | undefined;
}

/**
 * @param out for 'F32': where to write, one place an element; default a new array
 * @throws ArgumentError for an `out` of another length or with another dtype
 */
export function reconstructionOf(
  decoder: HoloTensorDecoder,
  { dtype = 'F32' }: ReconstructionOptions = {},
  out?: Float32Array,
): Reconstruction {
  checkOutputDtype(dtype, out);
  const { header, quality, fragments, total, complete } = decoder;
  const tensor: Tensor<DType> =
    dtype === 'source'
      ? decoder.reconstructTensor()
      : { dtype, shape: header.shape, data: decoder.reconstruct(out) };
  return { ...tensor, header, quality, fragments, total, complete };
}

/** @throws ArgumentError for numbers to fill where the result is none */
export function checkOutputDtype(dtype: ReconstructionOptions['dtype'], out: Float32Array | undefined): void {
  if (dtype === 'source' && out !== undefined) throw new ArgumentError('an array to fill is for dtype F32');
}
