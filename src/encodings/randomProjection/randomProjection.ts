import { ArgumentError } from '../../errors.js';
import { checkOutputLength } from '../../tensor/views.js';
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
import { LayoutCollector } from '../fragmentCollectors.js';
import { payloadMagic } from '../payload.js';
import { encodeGaussian, type GaussianEncodeOptions } from './gaussianEncode.js';
import { type GaussianDecodeOptions, GaussianProjection } from './gaussianProjection.js';
import { encodeOrthonormal, OrthonormalProjection, RP01_MAGIC } from './orthonormalProjection.js';

/**
 * What a tensor is projected on. 'orthonormal' (RP01): randomly signed cosines, O(n log n), any k of N fragments
 * reach a cosine of sqrt(k/N), all are exact. 'gaussian': the reference's random rows, O(n²), never better than 0.7
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
  readonly #fragments: LayoutCollector<ProjectionMatrix, Projection>;

  constructor(request: DecodeRequest, options: RandomProjectionDecodeOptions = {}) {
    this.#request = request;
    this.#fragments = new LayoutCollector(request.fragments, 'projection matrix', matrixOf, (matrix) =>
      matrix === 'orthonormal'
        ? new OrthonormalProjection(request)
        : new GaussianProjection(request, options),
    );
  }

  /** @throws LimitError for a Gaussian projection that takes minutes; the decoder stays as it was */
  addFragment(index: number, payload: Uint8Array): boolean {
    return this.#fragments.add(index, payload);
  }

  get quality(): EncodingQuality {
    return this.#fragments.store?.quality ?? projectionQuality(0, 0, this.#request.norm, false);
  }

  /** @throws LimitError for a least-squares solution that takes minutes */
  reconstruct(out: Float32Array): void {
    const { rows, cols } = this.#request;
    checkOutputLength(out, rows * cols);
    const { store } = this.#fragments;
    if (store === undefined) out.fill(0);
    else store.reconstruct(out);
  }
}

function matrixOf(payload: Uint8Array): ProjectionMatrix {
  return payloadMagic(payload) === RP01_MAGIC ? 'orthonormal' : 'gaussian';
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
