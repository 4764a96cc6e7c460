import { finish, type Steps } from '../../async/steps.js';
import type { Cost } from '../../checks/limits.js';
import { checkOutput } from '../../tensor/tensor.js';
import type { DecodeRequest, Decoding, EncodingQuality, FragmentDecoder } from '../encoding.js';
import { projectionQuality } from '../energy.js';
import { ReceivedFragments } from '../fragmentCollectors.js';
import { componentLength, readPayload } from './payload.js';
import { LowRankSum } from './sum.js';

/**
 * Reads the payloads of both layouts, with or without a residual.
 *
 * `cosine` is ‖x̂‖ / ‖x‖, with the true norm of the sum, also for factors that are not orthonormal. It is the cosine
 * similarity if x̂ ⟂ x − x̂, which holds for every subset of fragments of `LowRankEncoder`. For files of the reference,
 * whose factors are only nearly orthogonal, it is undefined, because they store no norm.
 */
export class LowRankDecoder implements FragmentDecoder {
  readonly #request: DecodeRequest<'linear'>;
  readonly #received: ReceivedFragments;
  readonly #sum: LowRankSum;
  #hasResidual = false;

  constructor(request: DecodeRequest<'linear'>) {
    this.#request = request;
    this.#received = new ReceivedFragments(request.fragments);
    this.#sum = new LowRankSum(request, request.kernels);
  }

  costOfAdding(_index: number, payload: Uint8Array): Cost {
    const { rows, cols } = this.#request;
    const elements = rows * cols;
    // A payload without components has a value for each element.
    const components = Math.max(1, payload.length / (4 * componentLength(this.#request)));
    return { bytes: this.#received.count === 0 ? 4 * elements : 0, steps: components * elements };
  }

  addFragment(index: number, payload: Uint8Array): boolean {
    return finish(this.adding(index, payload));
  }

  *adding(index: number, payload: Uint8Array): Steps<boolean> {
    if (this.#received.has(index)) return false;
    const content = readPayload(this.#request, index, payload);
    yield* this.#sum.adding(content);
    this.#received.add(index);
    this.#hasResidual ||= content.components === undefined;
    return true;
  }

  get quality(): EncodingQuality {
    const { fragments, norm } = this.#request;
    const fraction = this.#received.count / fragments;
    // All components together are not the whole tensor: only a residual completes it.
    const exact = fraction === 1 && this.#hasResidual;
    return { ...projectionQuality(exact ? 1 : 0, this.#sum.energy, norm), fraction };
  }

  costOfReconstructing(): Cost {
    const { rows, cols } = this.#request;
    return { bytes: 0, steps: rows * cols };
  }

  reconstruct(out: Float32Array): void {
    checkOutput(out, this.#sum.values.length);
    out.set(this.#sum.values);
  }
}

/** The line for the table of decodings. */
export const lowRankDecoding: Decoding<object, 'linear'> = {
  name: 'low-rank',
  createDecoder: (request) => new LowRankDecoder(request),
};
