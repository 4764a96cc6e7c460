import { ArgumentError, FormatError } from '../../errors.js';
import { checkOutputLength } from '../../tensor/outputLength.js';
import { numbersOf } from '../encoderInput.js';
import {
  type DecodeRequest,
  type Decoding,
  type EncodedFragments,
  type EncodeRequest,
  type Encoding,
  type EncodingQuality,
  type FragmentDecoder,
  withEncoder,
} from '../encoding.js';
import { projectionQuality } from '../energy.js';
import { payloadMagic } from '../payload.js';
import { ReceivedFragments } from '../received.js';
import { encodeGaussian, type GaussianEncodeOptions } from './gaussianEncode.js';
import { type GaussianDecodeOptions, GaussianProjection } from './gaussianProjection.js';
import { encodeOrthonormal, OrthonormalProjection, RP01_MAGIC } from './orthonormalProjection.js';

/**
 * What a tensor is projected on. 'orthonormal' (RP01): randomly signed cosines, O(n log n), any k of N fragments are
 * worth a cosine of sqrt(k/N), all are exact. 'gaussian': the reference's random rows, O(n²), never better than 0.7
 * by the reference's decoder.
 */
export type ProjectionMatrix = 'orthonormal' | 'gaussian';

/** `rowsPerFragment` and `force` belong to the Gaussian matrix. */
export interface RandomProjectionEncodeOptions extends GaussianEncodeOptions {
  /** Default 'orthonormal'. */
  readonly matrix?: ProjectionMatrix | undefined;
}

/** All of them are about fragments of the Gaussian matrix; the orthonormal one needs no choice. */
export type RandomProjectionDecodeOptions = GaussianDecodeOptions;

export class RandomProjectionEncoder {
  readonly #options: RandomProjectionEncodeOptions;

  /** @throws ArgumentError for an unknown matrix */
  constructor(options: RandomProjectionEncodeOptions = {}) {
    const { matrix = 'orthonormal' } = options;
    if (matrix !== 'orthonormal' && matrix !== 'gaussian') {
      throw new ArgumentError('projection matrix', {
        expected: "'orthonormal' or 'gaussian'",
        actual: matrix,
      });
    }
    this.#options = options;
  }

  /**
   * @throws ArgumentError for a value that is not finite, naming its index, and for a seed that cannot be used
   * @throws LimitError for a Gaussian projection that takes minutes
   */
  encode(request: EncodeRequest): EncodedFragments {
    const values = numbersOf(request);
    if (this.#options.matrix === 'gaussian') return encodeGaussian(request, values, this.#options);
    return encodeOrthonormal(request, values);
  }
}

type Projection = OrthonormalProjection | GaussianProjection;

/** Reads fragments of both matrices; the first one tells which it is. */
export class RandomProjectionDecoder implements FragmentDecoder {
  readonly #request: DecodeRequest;
  readonly #options: RandomProjectionDecodeOptions;
  readonly #received: ReceivedFragments;
  #matrix: ProjectionMatrix | undefined;
  #projection: Projection | undefined;

  constructor(request: DecodeRequest, options: RandomProjectionDecodeOptions = {}) {
    this.#request = request;
    this.#options = options;
    this.#received = new ReceivedFragments(request.fragments);
  }

  /** @throws LimitError for a Gaussian projection that takes minutes; the decoder stays as it was */
  addFragment(index: number, payload: Uint8Array): boolean {
    if (this.#received.has(index)) return false;
    const matrix = payloadMagic(payload) === RP01_MAGIC ? 'orthonormal' : 'gaussian';
    if (matrix !== (this.#matrix ?? matrix)) {
      throw new FormatError('projection matrix differs from that of the fragments before', {
        fragmentIndex: index,
        expected: this.#matrix,
        actual: matrix,
      });
    }
    const projection = this.#projection ?? this.#create(matrix);
    projection.add(index, payload);
    this.#matrix = matrix;
    this.#projection = projection;
    this.#received.add(index);
    return true;
  }

  get quality(): EncodingQuality {
    if (this.#projection !== undefined) return this.#projection.quality;
    return projectionQuality(0, 0, this.#request.norm, false);
  }

  /** @throws LimitError for a least-squares solution that takes minutes */
  reconstruct(out: Float32Array): void {
    const { rows, cols } = this.#request;
    checkOutputLength(out, rows * cols);
    if (this.#projection === undefined) out.fill(0);
    else this.#projection.reconstruct(out);
  }

  #create(matrix: ProjectionMatrix): Projection {
    return matrix === 'orthonormal'
      ? new OrthonormalProjection(this.#request)
      : new GaussianProjection(this.#request, this.#options);
  }
}

/** The line for the table of decodings. */
export const randomProjectionDecoding: Decoding<RandomProjectionDecodeOptions> = {
  name: 'random-projection',
  code: 1,
  createDecoder: (request, options) => new RandomProjectionDecoder(request, options),
};

/** The line for the table of encodings. */
export const randomProjection: Encoding<RandomProjectionEncodeOptions, RandomProjectionDecodeOptions> =
  /* @__PURE__ */ withEncoder(randomProjectionDecoding, (request, options) =>
    new RandomProjectionEncoder(options).encode(request),
  );
