import { finish, type Steps } from '../../async/steps.js';
import type { Cost } from '../../checks/limits.js';
import { checkOutput } from '../../tensor/tensor.js';
import {
  type CoefficientStore,
  coefficientQuality,
  hasEnergy,
  transformCost,
} from '../coefficients/coefficients.js';
import { SubsetStore } from '../coefficients/subsets.js';
import type { DecodeRequest, Decoding, EncodingQuality, FragmentDecoder } from '../encoding.js';
import { LayoutCollector } from '../fragmentCollectors.js';
import { payloadMagic } from '../payload.js';
import { EssentialStore } from './essential.js';
import { RankedStore, SV02_MAGIC } from './ranked.js';

/**
 * How coefficients are laid out. 'raster' (SV03): fragment k holds every N-th, from the k-th on. 'ranked' (SV02): the
 * same by descending magnitude; the order, 4 bytes per coefficient, is in fragment 0, without which the
 * others have no positions. 'essential' (SV01): the largest ones in every fragment, the others interleaved;
 * 8 bytes per coefficient.
 */
export type SpectralLayout = 'raster' | 'ranked' | 'essential';

/** The magic of a payload in the layout 'raster'. */
export const SV03_MAGIC = 0x33305653;

/** Reads all three layouts; the first fragment tells which one it is. */
export class SpectralDecoder implements FragmentDecoder {
  readonly #request: DecodeRequest<'dct'>;
  readonly #fragments: LayoutCollector<SpectralLayout, CoefficientStore>;

  constructor(request: DecodeRequest<'dct'>) {
    this.#request = request;
    this.#fragments = new LayoutCollector(request.fragments, 'spectral layout', layoutOf, (layout) =>
      createStore(layout, request),
    );
  }

  costOfAdding(_index: number, payload: Uint8Array): Cost {
    const { rows, cols } = this.#request;
    const coefficients = rows * cols;
    // Layouts other than 'raster' keep an order or a value for each coefficient, and what has come.
    const isNew = this.#fragments.store === undefined && layoutOf(payload) !== 'raster';
    return { bytes: isNew ? 5 * coefficients : 0, steps: 2 * payload.length };
  }

  addFragment(index: number, payload: Uint8Array): boolean {
    return finish(this.#fragments.adding(index, payload));
  }

  get quality(): EncodingQuality {
    return coefficientQuality(this.#request, this.#fragments.store);
  }

  costOfReconstructing(): Cost {
    return transformCost(this.#request, this.#fragments.store);
  }

  reconstruct(out: Float32Array): void {
    finish(this.reconstructing(out));
  }

  *reconstructing(out: Float32Array): Steps<void> {
    const { rows, cols, kernels } = this.#request;
    checkOutput(out, rows * cols);
    const { store } = this.#fragments;
    if (hasEnergy(store)) yield* kernels.idct2dSteps(store.coefficients(out), rows, cols, out);
    else out.fill(0);
  }
}

function createStore(
  layout: SpectralLayout,
  { rows, cols, fragments }: DecodeRequest<'dct'>,
): CoefficientStore {
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
export const spectralDecoding: Decoding<object, 'dct'> = {
  name: 'spectral',
  createDecoder: (request) => new SpectralDecoder(request),
};
