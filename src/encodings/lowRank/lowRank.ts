import { ArgumentError } from '../../errors.js';
import { linearKernels } from '../../kernels/linear/encodeKernels.js';
import { matrix } from '../../kernels/linear/matrix.js';
import { checkOutputLength } from '../../tensor/views.js';
import { energyOfInput, numbersOf } from '../encoderInput.js';
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
import { describeEnergies, energyOf, projectionQuality } from '../energy.js';
import { ReceivedFragments } from '../fragmentCollectors.js';
import { readPayload, writeComponents, writeRaw } from './payload.js';
import { LowRankSum } from './sum.js';
import { truncatedSvd } from './svd/truncatedSvd.js';

/**
 * How the r components, largest first, are dealt to the N fragments that hold some. 'sequential', as the reference does
 * it: fragment k gets components k·⌈r/N⌉ to (k+1)·⌈r/N⌉ − 1, so the first is worth most and the last may be empty.
 * 'interleaved': fragment k gets components k, k + N, k + 2N, …
 */
export type LowRankLayout = 'sequential' | 'interleaved';

export interface LowRankEncodeOptions {
  /** Most components to keep. Default 256, as in the reference. */
  readonly rank?: number | undefined;
  /** Default 'sequential'. */
  readonly layout?: LowRankLayout | undefined;
  /**
   * The last fragment holds what the components leave, uncompressed, so that all fragments together are the tensor to
   * rounding of f32. Default false.
   */
  readonly residual?: boolean | undefined;
}

const DEFAULT_RANK = 256;

/**
 * A residual below this share of the norm is the rounding of the components to f32, and sent as zeros: it is not
 * orthogonal to them, so alone it would be worth something else than its norm says.
 */
const ROUNDING = 3e-7;

/**
 * Fragments of the truncated singular value decomposition of a tensor: the best approximation there is at each rank.
 * Encoding n×n at rank r takes 7/3 n³ operations for small n or large r, else 4 n² (r + 8) some 3 to 12 times, most of them
 * in single precision (see `findRange`); adding a fragment of c components takes 2 n² c, reconstructing copies n².
 */
export class LowRankEncoder {
  readonly #rank: number;
  readonly #layout: LowRankLayout;
  readonly #residual: boolean;

  /** @throws ArgumentError for an unknown layout and a rank that is not a positive integer */
  constructor({ rank = DEFAULT_RANK, layout = 'sequential', residual = false }: LowRankEncodeOptions = {}) {
    if (!Number.isInteger(rank) || rank < 1) {
      throw new ArgumentError('rank', { expected: 'a positive integer', actual: rank });
    }
    if (layout !== 'sequential' && layout !== 'interleaved') {
      throw new ArgumentError('low-rank layout', {
        expected: "'sequential' or 'interleaved'",
        actual: layout,
      });
    }
    this.#rank = rank;
    this.#layout = layout;
    this.#residual = residual;
  }

  /** @throws ArgumentError for a value that is not finite, naming its index */
  encode(request: EncodeRequest): EncodedFragments {
    const { rows, cols, fragments, kernels } = request;
    const values = numbersOf(request);
    const energy = energyOfInput(values);
    const triplets = truncatedSvd(linearKernels(kernels), matrix(values, rows, cols), this.#rank);
    const shares = this.#deal(triplets.sigma.length, this.#residual ? fragments - 1 : fragments);
    const payloads = shares.map((components) => writeComponents(request, triplets, components));
    const added = shares.map((components) => components.reduce((sum, k) => sum + triplets.sigma[k]! ** 2, 0));
    if (this.#residual) {
      const rest = residualOf(request, values, payloads);
      const restEnergy = energyOf(rest);
      const negligible = restEnergy <= ROUNDING ** 2 * energy;
      payloads.push(writeRaw(request, negligible ? rest.fill(0) : rest));
      added.push(negligible ? 0 : restEnergy);
    }
    // Components and residual are orthogonal to each other, so each adds what it is worth alone.
    return { payloads, ...describeEnergies(energy, { added, alone: added }), minimumFragments: 1 };
  }

  /** Numbers of the components of each fragment. */
  #deal(components: number, fragments: number): number[][] {
    const share = Math.ceil(components / fragments);
    const holder = (k: number) => (this.#layout === 'sequential' ? Math.floor(k / share) : k % fragments);
    const shares: number[][] = Array.from({ length: fragments }, () => []);
    // Without fragments for them, all components are part of the residual.
    if (fragments > 0) for (let k = 0; k < components; k++) shares[holder(k)]!.push(k);
    return shares;
  }
}

/** What is left of `values` when all components, as a decoder will add them up, are taken away. */
function residualOf(
  request: EncodeRequest,
  values: Float32Array,
  payloads: readonly Uint8Array[],
): Float32Array {
  const sum = new LowRankSum(request, request.kernels);
  for (const [index, payload] of payloads.entries()) sum.add(readPayload(request, index, payload));
  return values.map((value, i) => value - sum.values[i]!);
}

/**
 * Reads the payloads of both layouts, with or without a residual.
 *
 * `cosine` is ‖x̂‖ / ‖x‖, with the true norm of the sum, also where factors are not orthonormal. It is the cosine
 * similarity as long as x̂ ⟂ x − x̂: so for every subset of fragments of {@link LowRankEncoder}. The reference stores no
 * norm, so of its files, whose factors are only nearly orthogonal, nothing is claimed.
 */
export class LowRankDecoder implements FragmentDecoder {
  readonly #request: DecodeRequest;
  readonly #received: ReceivedFragments;
  readonly #sum: LowRankSum;
  #hasResidual = false;

  constructor(request: DecodeRequest) {
    this.#request = request;
    this.#received = new ReceivedFragments(request.fragments);
    this.#sum = new LowRankSum(request, request.kernels);
  }

  addFragment(index: number, payload: Uint8Array): boolean {
    if (this.#received.has(index)) return false;
    const content = readPayload(this.#request, index, payload);
    this.#sum.add(content);
    this.#received.add(index);
    this.#hasResidual ||= content.components === undefined;
    return true;
  }

  get quality(): EncodingQuality {
    const { fragments, norm } = this.#request;
    const fraction = this.#received.count / fragments;
    // All components are not yet the whole tensor: only a residual completes it.
    const exact = fraction === 1 && this.#hasResidual;
    return { ...projectionQuality(exact ? 1 : 0, this.#sum.energy, norm), fraction };
  }

  reconstruct(out: Float32Array): void {
    checkOutputLength(out, this.#sum.values.length);
    out.set(this.#sum.values);
  }
}

/** The line for the table of decodings. */
export const lowRankDecoding: Decoding = {
  name: 'low-rank',
  code: 2,
  createDecoder: (request) => new LowRankDecoder(request),
};

/** The line for the table of encodings. */
export const lowRank: Encoding<LowRankEncodeOptions> = /* @__PURE__ */ withEncoder(
  lowRankDecoding,
  (request, options) => new LowRankEncoder(options).encode(request),
);
