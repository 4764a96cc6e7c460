import { checkOptions, number, oneOf, type Rules } from '../../checks/options.js';
import { ArgumentError } from '../../errors.js';
import { type CoefficientFragments, describeCoefficients } from '../coefficients/coefficients.js';
import { writeSubsets } from '../coefficients/subsets.js';
import { transformed } from '../coefficients/transformed.js';
import { numbersOf } from '../encoderInput.js';
import { type EncodedFragments, type EncodeRequest, type Encoding, withEncoder } from '../encoding.js';
import { type SpectralLayout, SV03_MAGIC, spectralDecoding } from './decoder.js';
import { writeEssential } from './essential.js';
import { writeRanked } from './ranked.js';

/** Which coefficients of the DCT each fragment holds. */
export interface SpectralEncodeOptions {
  /** Default 'raster'. */
  readonly layout?: SpectralLayout | undefined;
  /** Layout 'essential' only: share of the coefficients that every fragment repeats, in [0, 1]. Default 0.1. */
  readonly essentialRatio?: number | undefined;
}

const RULES: Rules<SpectralEncodeOptions> = {
  layout: /* @__PURE__ */ oneOf(['raster', 'ranked', 'essential']),
  essentialRatio: /* @__PURE__ */ number(0, 1),
};

const DEFAULT_ESSENTIAL_RATIO = 0.1;

/**
 * Fragments of the orthonormal 2-D DCT-II of a tensor. Encoding takes O(n log n) operations, adding a fragment as
 * many as it has coefficients, reconstructing one inverse transform, O(n log n).
 */
export class SpectralEncoder {
  readonly #layout: SpectralLayout;
  readonly #essentialRatio: number;

  /** @throws ArgumentError for an option that cannot be, and a ratio without the layout that has one */
  constructor(options: SpectralEncodeOptions = {}) {
    const { layout = 'raster', essentialRatio } = checkOptions(options, RULES);
    if (essentialRatio !== undefined && layout !== 'essential') {
      throw new ArgumentError('Cannot create the encoder: essentialRatio requires the layout "essential"', {
        actual: layout,
      });
    }
    this.#layout = layout;
    this.#essentialRatio = essentialRatio ?? DEFAULT_ESSENTIAL_RATIO;
  }

  /**
   * @throws ArgumentError for a value that is not finite, naming its index
   * @throws UnsupportedError for rows or columns that are too long to be transformed
   * @throws LimitError when the repetitions of the layout 'essential' do not fit a file
   */
  encode(request: EncodeRequest): EncodedFragments {
    const values = numbersOf(request);
    return describeCoefficients(values, this.#write(values, request));
  }

  #write(values: Float32Array, request: EncodeRequest): CoefficientFragments {
    const { rows, cols, fragments, kernels } = request;
    if (this.#layout === 'raster') {
      const header = { magic: SV03_MAGIC, coefficients: values.length, fragments };
      return writeSubsets(header, undefined, (take) =>
        transformed(request, () => kernels.dct2d(values, rows, cols, take)),
      );
    }
    const coefficients = new Float32Array(values.length);
    transformed(request, () => kernels.dct2d(values, rows, cols, coefficients));
    if (this.#layout === 'ranked') return writeRanked(coefficients, fragments);
    return writeEssential(coefficients, fragments, this.#essentialRatio);
  }
}

/** The line for the table of encodings. */
export const spectral: Encoding<SpectralEncodeOptions> = /* @__PURE__ */ withEncoder(
  spectralDecoding,
  (options) => new SpectralEncoder(options),
);
