import { finish, oneStep, type Steps } from '../async/steps.js';
import { check, checkOptions, type Rules, wholeNumber } from '../checks/options.js';
import { uint64 } from '../checks/rules.js';
import {
  type EncodedFacts,
  type EncodeMemory,
  type FragmentEncoder,
  type HolographicEncoding,
  matrixShape,
} from '../encodings/encoding.js';
import { type EncodeOptionsOf, encodingByName } from '../encodings/encodings.js';
import { show } from '../errors/show.js';
import { ArgumentError, LimitError } from '../errors.js';
import type { Kernels } from '../kernels/kernels.js';
import { KERNELS } from '../kernels/loadKernels.js';
import { syncKernels } from '../kernels/syncKernels.js';
import { byteLengthOf, type DType, elementCount } from '../tensor/dtype.js';
import type { QuantizationMetadata } from '../tensor/quantization.js';
import { QUANTIZATION } from '../tensor/quantizationRule.js';
import { type Tensor, typedArray } from '../tensor/tensor.js';
import { TENSOR } from '../tensor/tensorRule.js';
import {
  HOLO_FLAG_ESSENTIAL_FIRST,
  HOLO_FLAG_FRAGMENT_CHECKSUMS,
  HOLO_FLAG_HEADER_CHECKSUM,
  HOLO_FLAG_INTERLEAVED,
  HOLO_FLAG_QUALITY_CURVE,
  HOLO_MAX_FRAGMENTS,
  HOLO_MAX_RANK,
} from './constants.js';
import { fitQualityCurve } from './fitQuality.js';
import type { HoloFragment } from './fragment.js';
import type { HoloTensorHeader } from './header.js';
import { DEFAULT_QUALITY_CURVES } from './quality.js';

/** Number of fragments by default. */
const DEFAULT_FRAGMENTS = 8;

/** What every encoding takes; {@link HoloTensorEncoderOptions} adds its own. */
export interface CommonEncodeOptions {
  /** How many fragments to cut, 1 to 65535. Default 8. */
  readonly fragments?: number | undefined;
  /** Seed of encodings with random numbers. Default 0. */
  readonly seed?: bigint | undefined;
  /** How integer elements encode weights: stored with the tensor, not applied. */
  readonly quantization?: QuantizationMetadata | undefined;
  /** Default: the fastest once `await loadKernels()` has been called, before that the portable ones. */
  readonly kernels?: Kernels | undefined;
}

const COMMON_RULES: Rules<CommonEncodeOptions> = {
  fragments: /* @__PURE__ */ wholeNumber(1, HOLO_MAX_FRAGMENTS),
  seed: uint64,
  quantization: QUANTIZATION,
  kernels: KERNELS,
};

/** How {@link HoloTensorEncoder} cuts tensors: what all encodings take, and the options of this one. */
export type HoloTensorEncoderOptions<E extends HolographicEncoding = HolographicEncoding> =
  CommonEncodeOptions & EncodeOptionsOf<E>;

/** A tensor as fragments: what `HoloTensorWriter.write` and `HoloTensorDecoder` take. */
export interface EncodedTensor {
  readonly header: HoloTensorHeader;
  readonly fragments: readonly HoloFragment[];
  /** True cosine similarity with the tensor after fragments 0..k, for each k. */
  readonly cosines: readonly number[];
}

/**
 * Cuts tensors into fragments.
 *
 * @example
 * const weights = new Float32Array(64 * 48).map(() => Math.random() - 0.5);
 * const { header, fragments } = new HoloTensorEncoder('spectral', { fragments: 8 }).encode(weights, [64, 48]);
 */
export class HoloTensorEncoder<E extends HolographicEncoding = HolographicEncoding> {
  readonly encoding: E;
  readonly #options: CommonEncodeOptions;
  readonly #encoder: FragmentEncoder;

  /** @throws ArgumentError for an unknown encoding and for options that cannot work */
  constructor(encoding: E, options: HoloTensorEncoderOptions<E> = {} as HoloTensorEncoderOptions<E>) {
    this.#options = checkOptions<CommonEncodeOptions>(options, COMMON_RULES);
    this.#encoder = encodingByName(encoding).createEncoder(options);
    this.encoding = encoding;
  }

  /** Encodes numbers, row-major; the header will say F32. */
  encode(data: Float32Array, shape: readonly number[]): EncodedTensor {
    return this.encodeTensor({ dtype: 'F32', shape, data });
  }

  /** Encodes a vector. */
  encode1d(data: Float32Array): EncodedTensor {
    check('data', data, typedArray('Float32Array'));
    return this.encode(data, [data.length]);
  }

  /** Encodes a matrix, row-major. */
  encode2d(data: Float32Array, rows: number, cols: number): EncodedTensor {
    return this.encode(data, [rows, cols]);
  }

  /**
   * Encodes a tensor of any dtype that the encoding takes; the header carries it.
   * @throws ArgumentError when the data does not fit the shape, the rank is above 4, or the encoding cannot carry a
   *   value (NaN and infinities: naming the index)
   */
  encodeTensor(tensor: Tensor<DType>): EncodedTensor {
    return finish(this.encodingTensor(tensor));
  }

  /**
   * The same in steps of some milliseconds, where the encoding has steps.
   * @param memory default: the elements stay as they are, and payloads are new arrays
   */
  *encodingTensor(tensor: Tensor<DType>, memory?: EncodeMemory): Steps<EncodedTensor> {
    checkTensor(tensor);
    const { fragments = DEFAULT_FRAGMENTS, seed = 0n, kernels = syncKernels() } = this.#options;
    const request = { ...matrixShape(tensor.shape), tensor, fragments, seed, kernels, memory };
    const whole = () => this.#encoder.encode(request);
    const encoded = yield* this.#encoder.encoding?.(request) ?? oneStep(whole);
    return {
      header: encodedHeader({ ...this.#options, encoding: this.encoding, seed, tensor }, encoded),
      fragments: encoded.payloads.map((data, index) => ({ index, data })),
      cosines: encoded.cosines,
    };
  }
}

/** How a tensor was encoded. */
interface Encoded extends Pick<CommonEncodeOptions, 'quantization'> {
  readonly encoding: HolographicEncoding;
  readonly seed: bigint;
  readonly tensor: Pick<Tensor<DType>, 'dtype' | 'shape'>;
}

/** The header of a tensor that has been encoded. */
export function encodedHeader(
  { encoding, seed, quantization, tensor: { dtype, shape } }: Encoded,
  { cosines, norm: exactNorm, essentialFirst, interleaved, minimumFragments }: EncodedFacts,
): HoloTensorHeader {
  if (cosines.length > HOLO_MAX_FRAGMENTS) {
    throw new LimitError('Cannot encode the tensor: too many fragments', {
      expected: HOLO_MAX_FRAGMENTS,
      actual: cosines.length,
    });
  }
  const norm = Math.fround(exactNorm);
  // With NaNs or infinities among the elements, which some encodings carry, there is nothing to measure.
  const measured = cosines.every(Number.isFinite);
  const flags =
    HOLO_FLAG_HEADER_CHECKSUM |
    HOLO_FLAG_FRAGMENT_CHECKSUMS |
    (measured ? HOLO_FLAG_QUALITY_CURVE : 0) |
    (essentialFirst ? HOLO_FLAG_ESSENTIAL_FIRST : 0) |
    (interleaved ? HOLO_FLAG_INTERLEAVED : 0);
  return {
    encoding,
    // Code 0, as the reference writes without compression. A writer that compresses replaces it.
    compression: 'lz4',
    flags,
    totalFragments: cosines.length,
    originalSize: byteLengthOf(dtype, elementCount(shape)),
    seed,
    dtype,
    shape,
    qualityCurve: measured ? fitQualityCurve(cosines, minimumFragments) : DEFAULT_QUALITY_CURVES[encoding],
    norm: Number.isFinite(norm) ? norm : undefined,
    quantization,
  };
}

function checkTensor(tensor: Tensor<DType>): void {
  check('tensor', tensor, TENSOR);
  const { dtype, shape, data } = tensor;
  if (shape.length > HOLO_MAX_RANK) {
    throw new ArgumentError('Cannot encode the tensor: HoloTensor files hold rank 0 to 4; reshape it first', {
      expected: `rank at most ${HOLO_MAX_RANK}`,
      actual: shape.length,
    });
  }
  const expected = byteLengthOf(dtype, elementCount(shape));
  if (data.byteLength !== expected) {
    throw new ArgumentError(
      `Cannot encode ${show(dtype)} data of shape ${show(shape)}: wrong number of bytes`,
      {
        expected,
        actual: data.byteLength,
      },
    );
  }
}
