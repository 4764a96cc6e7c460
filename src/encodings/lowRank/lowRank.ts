import { checkOptions, flag, oneOf, type Rules, wholeNumber } from '../../checks/options.js';
import { UnsupportedError } from '../../errors.js';
import { linearKernels } from '../../kernels/linear/encodeKernels.js';
import { matrix } from '../../kernels/linear/matrix.js';
import { checkRequest, energyOfInput, numbersOf } from '../encoderInput.js';
import { type EncodedFragments, type EncodeRequest, type Encoding, withEncoder } from '../encoding.js';
import { describeEnergies, energyOf } from '../energy.js';
import { lowRankDecoding } from './decoder.js';
import { MAX_LINES, readPayload, writeComponents, writeRaw } from './payload.js';
import { LowRankSum } from './sum.js';
import { truncatedSvd } from './svd/truncatedSvd.js';

/**
 * How the r components, largest first, are distributed among the N fragments that hold some. 'sequential', as in the
 * reference: fragment k gets components k·⌈r/N⌉ to (k+1)·⌈r/N⌉ − 1, so the first has the most energy and the last may
 * be empty. 'interleaved': fragment k gets components k, k + N, k + 2N, …
 */
export type LowRankLayout = 'sequential' | 'interleaved';

/** How many components the low-rank encoding keeps, and how fragments share them. */
export interface LowRankEncodeOptions {
  /** Most components to keep. Default 256, as in the reference. */
  readonly rank?: number | undefined;
  /** Default 'sequential'. */
  readonly layout?: LowRankLayout | undefined;
  /**
   * The last fragment holds the residual of the components, uncompressed, so that all fragments together are the tensor
   * up to rounding of f32. Default false.
   */
  readonly residual?: boolean | undefined;
}

const RULES: Rules<LowRankEncodeOptions> = {
  rank: /* @__PURE__ */ wholeNumber(1),
  layout: /* @__PURE__ */ oneOf(['sequential', 'interleaved']),
  residual: flag,
};

const DEFAULT_RANK = 256;

/**
 * A residual below this share of the norm is the rounding of the components to f32, and stored as zeros: it is not
 * orthogonal to them, so its energy would not be what it adds to them.
 */
const ROUNDING = 3e-7;

/**
 * Fragments of the truncated singular value decomposition of a tensor: the best approximation at each rank. Encoding
 * n×n at rank r takes 7/3 n³ operations for small n or large r, otherwise 4 n² (r + 8) about 3 to 12 times, most of
 * them in single precision (see `findRange`); adding a fragment of c components takes 2 n² c, reconstructing copies n².
 */
export class LowRankEncoder {
  readonly #rank: number;
  readonly #layout: LowRankLayout;
  readonly #residual: boolean;

  /** @throws ArgumentError */
  constructor(options: LowRankEncodeOptions = {}) {
    const { rank = DEFAULT_RANK, layout = 'sequential', residual = false } = checkOptions(options, RULES);
    this.#rank = rank;
    this.#layout = layout;
    this.#residual = residual;
  }

  /**
   * @throws ArgumentError for a value that is not finite, naming its index
   * @throws UnsupportedError for more rows or columns than payloads can count, which only tensors without elements have
   */
  encode(request: EncodeRequest): EncodedFragments {
    checkRequest(request);
    const { rows, cols, fragments, kernels } = request;
    if (Math.max(rows, cols) > MAX_LINES) {
      throw new UnsupportedError('Cannot encode the tensor: too many rows or columns for this encoding', {
        expected: `at most ${MAX_LINES}`,
        actual: `${rows} × ${cols}`,
      });
    }
    const values = numbersOf(request);
    const energy = energyOfInput(values);
    const triplets = truncatedSvd(linearKernels(kernels), matrix(values, rows, cols), this.#rank);
    const shares = this.#distribute(triplets.sigma.length, this.#residual ? fragments - 1 : fragments);
    const payloads = shares.map((components) => writeComponents(request, triplets, components));
    const added = shares.map((components) => components.reduce((sum, k) => sum + triplets.sigma[k]! ** 2, 0));
    if (this.#residual) {
      const rest = residualOf(request, values, payloads);
      const restEnergy = energyOf(rest);
      const negligible = restEnergy <= ROUNDING ** 2 * energy;
      payloads.push(writeRaw(request, negligible ? rest.fill(0) : rest));
      added.push(negligible ? 0 : restEnergy);
    }
    // Components and residual are orthogonal to each other, so each adds all of its energy.
    return { payloads, ...describeEnergies(energy, { added, alone: added }), minimumFragments: 1 };
  }

  /** Numbers of the components of each fragment. */
  #distribute(components: number, fragments: number): number[][] {
    const share = Math.ceil(components / fragments);
    const holder = (k: number) => (this.#layout === 'sequential' ? Math.floor(k / share) : k % fragments);
    const shares: number[][] = Array.from({ length: fragments }, () => []);
    // Without fragments for them, all components are part of the residual.
    if (fragments > 0) for (let k = 0; k < components; k++) shares[holder(k)]!.push(k);
    return shares;
  }
}

/** `values` minus the sum of all components, added as a decoder adds them. */
function residualOf(
  request: EncodeRequest,
  values: Float32Array,
  payloads: readonly Uint8Array[],
): Float32Array {
  const sum = new LowRankSum(request, request.kernels);
  for (const [index, payload] of payloads.entries()) sum.add(readPayload(request, index, payload));
  return values.map((value, i) => value - sum.values[i]!);
}

/** The line for the table of encodings. */
export const lowRank: Encoding<LowRankEncodeOptions> = /* @__PURE__ */ withEncoder(
  lowRankDecoding,
  (options) => new LowRankEncoder(options),
);
