import { finish, type Steps } from '../../async/steps.js';
import { type Cost, NO_COST } from '../../checks/limits.js';
import { checkOptions } from '../../checks/options.js';
import { checkOutput } from '../../tensor/tensor.js';
import type { DecodeRequest, Decoding, EncodingQuality, FragmentDecoder } from '../encoding.js';
import { projectionQuality } from '../energy.js';
import { LayoutCollector } from '../fragmentCollectors.js';
import { payloadMagic } from '../payload.js';
import { GAUSSIAN_DECODE_RULES, type GaussianDecodeOptions } from './decodeOptions.js';
import { GaussianProjection } from './gaussianProjection.js';
import { OrthonormalProjection, RP01_MAGIC } from './orthonormalProjection.js';

/**
 * What a tensor is projected on. 'orthonormal' (RP01): randomly signed cosines, O(n log n), any k of N fragments
 * reach a cosine of sqrt(k/N), all are exact. 'gaussian': the reference's random rows, O(n²), never better than 0.7
 * by the reference's decoder.
 */
export type ProjectionMatrix = 'orthonormal' | 'gaussian';

/** All of them are about fragments of the Gaussian matrix; the orthonormal one needs no choice. */
export type RandomProjectionDecodeOptions = GaussianDecodeOptions;

type Projection = OrthonormalProjection | GaussianProjection;

/** Reads fragments of both matrices; the first one tells which it is. */
export class RandomProjectionDecoder implements FragmentDecoder {
  readonly #request: DecodeRequest<'dct' | 'gaussian'>;
  readonly #fragments: LayoutCollector<ProjectionMatrix, Projection>;

  constructor(request: DecodeRequest<'dct' | 'gaussian'>, options: RandomProjectionDecodeOptions = {}) {
    checkOptions(options, GAUSSIAN_DECODE_RULES);
    this.#request = request;
    this.#fragments = new LayoutCollector(request.fragments, 'projection matrix', matrixOf, (matrix) =>
      matrix === 'orthonormal'
        ? new OrthonormalProjection(request)
        : new GaussianProjection(request, options),
    );
  }

  costOfAdding(_index: number, payload: Uint8Array): Cost {
    const isNew = this.#fragments.store === undefined;
    const costOf = matrixOf(payload) === 'orthonormal' ? OrthonormalProjection.cost : GaussianProjection.cost;
    return costOf(this.#request, payload, isNew);
  }

  addFragment(index: number, payload: Uint8Array): boolean {
    return finish(this.adding(index, payload));
  }

  adding(index: number, payload: Uint8Array): Steps<boolean> {
    return this.#fragments.adding(index, payload);
  }

  get quality(): EncodingQuality {
    return this.#fragments.store?.quality ?? projectionQuality(0, 0, this.#request.norm, false);
  }

  costOfReconstructing(): Cost {
    return this.#fragments.store?.costOfReconstructing() ?? NO_COST;
  }

  reconstruct(out: Float32Array): void {
    finish(this.reconstructing(out));
  }

  *reconstructing(out: Float32Array): Steps<void> {
    const { rows, cols } = this.#request;
    checkOutput(out, rows * cols);
    const { store } = this.#fragments;
    if (store === undefined) out.fill(0);
    else yield* store.reconstructing(out);
  }
}

function matrixOf(payload: Uint8Array): ProjectionMatrix {
  return payloadMagic(payload) === RP01_MAGIC ? 'orthonormal' : 'gaussian';
}

/** The line for the table of decodings. */
export const randomProjectionDecoding: Decoding<RandomProjectionDecodeOptions, 'dct' | 'gaussian'> = {
  name: 'random-projection',
  createDecoder: (request, options) => new RandomProjectionDecoder(request, options),
};
