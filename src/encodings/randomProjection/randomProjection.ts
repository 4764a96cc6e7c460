import { checkOptions, flag, oneOf, type Rules, wholeNumber } from '../../checks/options.js';
import { numbersOf } from '../encoderInput.js';
import { type EncodedFragments, type EncodeRequest, type Encoding, withEncoder } from '../encoding.js';
import {
  type ProjectionMatrix,
  type RandomProjectionDecodeOptions,
  randomProjectionDecoding,
} from './decoder.js';
import { encodeGaussian, type GaussianEncodeOptions } from './gaussianEncode.js';
import { encodeOrthonormal } from './orthonormalProjection.js';

/** `rowsPerFragment` and `force` belong to the Gaussian matrix. */
export interface RandomProjectionEncodeOptions extends GaussianEncodeOptions {
  /** Default 'orthonormal'. */
  readonly matrix?: ProjectionMatrix | undefined;
}

const RULES: Rules<RandomProjectionEncodeOptions> = {
  matrix: /* @__PURE__ */ oneOf(['orthonormal', 'gaussian']),
  rowsPerFragment: /* @__PURE__ */ wholeNumber(1),
  force: flag,
};

/** Cuts tensors into random projections: Gaussian, as the reference writes them, or Hadamard. */
export class RandomProjectionEncoder {
  readonly #options: RandomProjectionEncodeOptions;

  /** @throws ArgumentError */
  constructor(options: RandomProjectionEncodeOptions = {}) {
    checkOptions(options, RULES);
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

/** The line for the table of encodings. */
export const randomProjection: Encoding<RandomProjectionEncodeOptions, RandomProjectionDecodeOptions> =
  /* @__PURE__ */ withEncoder(randomProjectionDecoding, (options) => new RandomProjectionEncoder(options));
