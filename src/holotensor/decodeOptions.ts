import { LIMIT_RULES, type LimitsOption } from '../checks/limits.js';
import { object, type Rules } from '../checks/options.js';
import type { DecodeOptionsOf } from '../encodings/decodings.js';
import type { ElementRange, HolographicEncoding } from '../encodings/encoding.js';
import {
  GAUSSIAN_DECODE_RULES,
  type GaussianDecodeOptions,
} from '../encodings/randomProjection/decodeOptions.js';
import type { Kernels } from '../kernels/kernels.js';
import { KERNELS } from '../kernels/loadKernels.js';

/** What decoders of all encodings take. */
export interface CommonDecodeOptions {
  /** Default: the fastest that the engine offers. */
  readonly kernels?: Kernels | undefined;
}

/** How to decode, whatever the limits. */
export type EncodingDecodeOptions<E extends HolographicEncoding = HolographicEncoding> = CommonDecodeOptions &
  Partial<DecodeOptionsOf<E>>;

/** How {@link HoloTensorDecoder} decodes, and what a file may make it spend. */
export type HoloTensorDecoderOptions<E extends HolographicEncoding = HolographicEncoding> =
  EncodingDecodeOptions<E> & LimitsOption;

/** All encodings' options: which one a file has is not known when they are passed. */
export type AllDecodeOptions = CommonDecodeOptions & GaussianDecodeOptions;

export const HOLO_DECODE_RULES: Rules<AllDecodeOptions> = { kernels: KERNELS, ...GAUSSIAN_DECODE_RULES };

/** Which part of a tensor is decoded. */
export interface RangeOption {
  /**
   * Elements to reconstruct in place of the whole tensor, from one multiple of its encoding's `RANGE_STEPS` to another.
   */
  readonly range?: ElementRange | undefined;
}

export const HOLO_DECODER_RULES: Rules<AllDecodeOptions & LimitsOption & RangeOption> = {
  ...HOLO_DECODE_RULES,
  ...LIMIT_RULES,
  // Where it may begin and end depends on the tensor.
  range: object,
};
