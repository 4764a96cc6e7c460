import { ArgumentError } from '../../errors.js';
import { type CoefficientFragments, describeCoefficients } from '../coefficients/coefficients.js';
import { writeSubsets } from '../coefficients/subsets.js';
import { numbersOf } from '../encoderInput.js';
import { type EncodedFragments, type EncodeRequest, type Encoding, withEncoder } from '../encoding.js';
import { type SpectralLayout, SV03_MAGIC, spectralDecoding } from './decoder.js';
import { writeEssential } from './essential.js';
import { writeRanked } from './ranked.js';

export interface SpectralEncodeOptions {
  /** Default 'raster'. */
  readonly layout?: SpectralLayout | undefined;
  /** Layout 'essential' only: share of the coefficients that every fragment repeats, in [0, 1]. Default 0.1. */
  readonly essentialRatio?: number | undefined;
}

const DEFAULT_ESSENTIAL_RATIO = 0.1;

/**
 * Fragments of the orthonormal 2-D DCT-II of a tensor. Encoding takes O(n log n) operations, adding a fragment as
 * many as it has coefficients, reconstructing one inverse transform, O(n log n).
 */
export class SpectralEncoder {
  readonly #layout: SpectralLayout;
  readonly #essentialRatio: number;

  /** @throws ArgumentError for an unknown layout, and a ratio outside [0, 1] or without the layout that has one */
  constructor({ layout = 'raster', essentialRatio }: SpectralEncodeOptions = {}) {
    if (layout !== 'raster' && layout !== 'ranked' && layout !== 'essential') {
      throw new ArgumentError('Cannot create the encoder: unknown spectral layout', {
        expected: "'raster', 'ranked' or 'essential'",
        actual: layout,
      });
    }
    if (essentialRatio !== undefined && layout !== 'essential') {
      throw new ArgumentError('Cannot create the encoder: essentialRatio requires the layout "essential"', {
        actual: layout,
      });
    }
    this.#layout = layout;
    this.#essentialRatio = essentialRatio ?? DEFAULT_ESSENTIAL_RATIO;
    if (!(this.#essentialRatio >= 0 && this.#essentialRatio <= 1)) {
      throw new ArgumentError('Cannot create the encoder: invalid essentialRatio', {
        expected: '0 to 1',
        actual: essentialRatio,
      });
    }
  }

  /**
   * @throws ArgumentError for a value that is not finite, naming its index
   * @throws LimitError when the repetitions of the layout 'essential' do not fit a file
   */
  encode(request: EncodeRequest): EncodedFragments {
    const values = numbersOf(request);
    return describeCoefficients(values, this.#write(values, request));
  }

  #write(values: Float32Array, { rows, cols, fragments, kernels }: EncodeRequest): CoefficientFragments {
    if (this.#layout === 'raster') {
      const header = { magic: SV03_MAGIC, coefficients: values.length, fragments };
      return writeSubsets(header, undefined, (take) => kernels.dct2d(values, rows, cols, take));
    }
    const coefficients = new Float32Array(values.length);
    kernels.dct2d(values, rows, cols, coefficients);
    if (this.#layout === 'ranked') return writeRanked(coefficients, fragments);
    return writeEssential(coefficients, fragments, this.#essentialRatio);
  }
}

/** The line for the table of encodings. */
export const spectral: Encoding<SpectralEncodeOptions> = /* @__PURE__ */ withEncoder(
  spectralDecoding,
  (request, options) => new SpectralEncoder(options).encode(request),
);
