import { ArgumentError } from '../../errors.js';
import { checkOutputLength } from '../../tensor/views.js';
import {
  type CoefficientFragments,
  type CoefficientStore,
  coefficientQuality,
  describeCoefficients,
} from '../coefficients/coefficients.js';
import { SubsetStore, writeSubsets } from '../coefficients/subsets.js';
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
import { LayoutCollector } from '../fragmentCollectors.js';
import { payloadMagic } from '../payload.js';
import { EssentialStore, writeEssential } from './essential.js';
import { RankedStore, SV02_MAGIC, writeRanked } from './ranked.js';

/**
 * How coefficients are laid out. 'raster' (SV03): fragment k holds every N-th, from the k-th on. 'ranked' (SV02): the
 * same by descending magnitude; the order, 4 bytes a coefficient, comes with fragment 0, without which the
 * others cannot be placed. 'essential' (SV01): the largest ones in every fragment, the others interleaved;
 * 8 bytes a coefficient.
 */
export type SpectralLayout = 'raster' | 'ranked' | 'essential';

export interface SpectralEncodeOptions {
  /** Default 'raster'. */
  readonly layout?: SpectralLayout | undefined;
  /** Layout 'essential' only: share of the coefficients that every fragment repeats, in [0, 1]. Default 0.1. */
  readonly essentialRatio?: number | undefined;
}

const SV03_MAGIC = 0x33305653;
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
      throw new ArgumentError('spectral layout', {
        expected: "'raster', 'ranked' or 'essential'",
        actual: layout,
      });
    }
    if (essentialRatio !== undefined && layout !== 'essential') {
      throw new ArgumentError('essentialRatio belongs to the layout "essential"', { actual: layout });
    }
    this.#layout = layout;
    this.#essentialRatio = essentialRatio ?? DEFAULT_ESSENTIAL_RATIO;
    if (!(this.#essentialRatio >= 0 && this.#essentialRatio <= 1)) {
      throw new ArgumentError('essentialRatio', { expected: '0 to 1', actual: essentialRatio });
    }
  }

  /**
   * @throws ArgumentError for a value that is not finite, naming its index
   * @throws LimitError when what the layout 'essential' repeats does not fit a file
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

/** Reads all three layouts; the first fragment tells which one it is. */
export class SpectralDecoder implements FragmentDecoder {
  readonly #request: DecodeRequest;
  readonly #fragments: LayoutCollector<SpectralLayout, CoefficientStore>;

  constructor(request: DecodeRequest) {
    this.#request = request;
    this.#fragments = new LayoutCollector(request.fragments, 'spectral layout', layoutOf, (layout) =>
      createStore(layout, request),
    );
  }

  addFragment(index: number, payload: Uint8Array): boolean {
    return this.#fragments.add(index, payload);
  }

  get quality(): EncodingQuality {
    return coefficientQuality(this.#request, this.#fragments.store);
  }

  reconstruct(out: Float32Array): void {
    const { rows, cols, kernels } = this.#request;
    checkOutputLength(out, rows * cols);
    const { store } = this.#fragments;
    if (store === undefined) out.fill(0);
    else kernels.idct2d(store.coefficients(out), rows, cols, out);
  }
}

function createStore(layout: SpectralLayout, { rows, cols, fragments }: DecodeRequest): CoefficientStore {
  const coefficients = rows * cols;
  switch (layout) {
    case 'raster':
      return new SubsetStore({ magic: SV03_MAGIC, coefficients, fragments });
    case 'ranked':
      return new RankedStore(coefficients, fragments);
    case 'essential':
      return new EssentialStore(coefficients);
  }
}

function layoutOf(payload: Uint8Array): SpectralLayout {
  const magic = payloadMagic(payload);
  if (magic === SV03_MAGIC) return 'raster';
  return magic === SV02_MAGIC ? 'ranked' : 'essential';
}

/** The line for the table of decodings. */
export const spectralDecoding: Decoding = {
  name: 'spectral',
  code: 0,
  createDecoder: (request) => new SpectralDecoder(request),
};

/** The line for the table of encodings. */
export const spectral: Encoding<SpectralEncodeOptions> = /* @__PURE__ */ withEncoder(
  spectralDecoding,
  (request, options) => new SpectralEncoder(options).encode(request),
);
