import type { Steps } from '../../async/steps.js';
import type { Cost } from '../../checks/limits.js';
import { assertLiveSeeds, SeededRng, seedOf } from '../../kernels/gaussian/rng.js';
import {
  coefficientQuality,
  describeCoefficients,
  hasEnergy,
  transformCost,
} from '../coefficients/coefficients.js';
import type { StretchVisitor } from '../coefficients/interleaver.js';
import { type SubsetHeader, SubsetStore, writeSubsets } from '../coefficients/subsets.js';
import { transformed } from '../coefficients/transformed.js';
import type { DecodeRequest, EncodedFragments, EncodeRequest, EncodingQuality } from '../encoding.js';

/**
 * RP01: the orthonormal DCT-II of the tensor with a random sign for each element; coefficients interleaved with
 * a random rotation for each group of N. The signs spread every element over all coefficients, whatever the tensor
 * looks like (N. Ailon and B. Chazelle, "The fast Johnson–Lindenstrauss transform", 2009), so any k of N fragments
 * reach a cosine of about sqrt(k/N). The rotation keeps one outlier, whose DCT is a pure cosine, from
 * favouring some fragments.
 */
export const RP01_MAGIC = 0x31305052;

/** Generators that belong to a header seed: the signs are drawn from the first, the rotations from the second. */
const SIGNS = 0;
const ROTATIONS = 1;
const GENERATORS = 2;

/** @throws ArgumentError for a value that is not finite, naming its index, and for a seed that cannot be used; UnsupportedError for rows or columns that are too long to be transformed */
export function encodeOrthonormal(request: EncodeRequest, values: Float32Array): EncodedFragments {
  const { rows, cols, fragments, seed, kernels } = request;
  assertLiveSeeds(seed, GENERATORS);
  const header = { magic: RP01_MAGIC, coefficients: values.length, fragments };
  const coefficients = writeSubsets(header, seedOf(seed, ROTATIONS), (take) => {
    const flip = signFlipper(seed);
    const give: StretchVisitor = (stretch, start) =>
      flip(values.subarray(start, start + stretch.length), stretch);
    transformed(request, () => kernels.dct2d(give, rows, cols, take));
  });
  return describeCoefficients(values, coefficients);
}

/** Fragments of RP01; the caller takes care of duplicates. */
export class OrthonormalProjection {
  readonly #request: DecodeRequest;
  readonly #store: SubsetStore;

  constructor(request: DecodeRequest) {
    const { rows, cols, fragments, seed } = request;
    const header: SubsetHeader = { magic: RP01_MAGIC, coefficients: rows * cols, fragments };
    this.#request = request;
    this.#store = new SubsetStore(header, seedOf(seed, ROTATIONS));
  }

  /** The first fragment draws the rotations of all groups. */
  static cost({ rows, cols, fragments }: DecodeRequest, payload: Uint8Array, isNew: boolean): Cost {
    return { bytes: 0, steps: 2 * payload.length + (isNew ? (4 * rows * cols) / fragments : 0) };
  }

  add(index: number, payload: Uint8Array): void {
    this.#store.add(index, payload);
  }

  get quality(): EncodingQuality {
    return coefficientQuality(this.#request, this.#store);
  }

  costOfReconstructing(): Cost {
    return transformCost(this.#request, this.#store);
  }

  *reconstructing(out: Float32Array): Steps<void> {
    const { rows, cols, seed, kernels } = this.#request;
    if (!hasEnergy(this.#store)) {
      out.fill(0);
      return;
    }
    const flip = signFlipper(seed);
    const take: StretchVisitor = (stretch, start) =>
      flip(stretch, out.subarray(start, start + stretch.length));
    yield* kernels.idct2dSteps(this.#store.coefficients(), rows, cols, take);
  }
}

/**
 * Multiplies each value by the sign that the top bit of the next draw encodes (1: −1). A call continues where the last
 * one ended.
 */
function signFlipper(headerSeed: bigint): (values: Float32Array, out: Float32Array) => void {
  const rng = new SeededRng(seedOf(headerSeed, SIGNS));
  return (values, out) => {
    // No branch: half of them would be predicted wrong.
    for (let i = 0; i < values.length; i++) out[i] = values[i]! * (1 - 2 * (rng.nextHigh32() >>> 31));
  };
}
