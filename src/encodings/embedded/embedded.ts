import { concatenate } from '../../bytes/binary.js';
import { checkOptions, listOf, number, type Rules } from '../../checks/options.js';
import { ArgumentError } from '../../errors.js';
import { embeddedEncodeKernels } from '../../kernels/embedded/encodeKernels.js';
import {
  type EncodedFacts,
  type EncodedFragments,
  type EncodeRequest,
  type Encoding,
  withEncoder,
} from '../encoding.js';
import { embeddedDecoding } from './decoder.js';
import { encodeTiles, type TileUnits } from './encoder.js';
import { layOutFragments, type TensorLayout, unitOfTile } from './fragmentLayout.js';
import type { TensorPlan } from './plan.js';
import { planTensor } from './planTensor.js';
import { sourceOf } from './source.js';

/** Where the embedded encoding ends its fragments. */
export interface EmbeddedEncodeOptions {
  /**
   * Ends of fragments, in place of their number: a fragment ends when the cosine similarity with the tensor reaches
   * each of these, rising, in (0, 1). A last fragment always makes it exact, with or without 'exact'.
   */
  readonly qualities?: readonly (number | 'exact')[] | undefined;
}

const BELOW_EXACT = /* @__PURE__ */ number(0, 1);
const RULES: Rules<EmbeddedEncodeOptions> = {
  qualities: /* @__PURE__ */ listOf((quality) => quality !== 'exact' && BELOW_EXACT(quality)),
};

/**
 * The high bits of every weight first, exact at the end, for all dtypes: `docs/formats/embedded.md` has the layout,
 * `docs/embedded.md` what it reaches. Encoding and decoding take O(n) operations; adding a fragment takes as many as
 * it has bytes, and reconstructing is one pass over the tensor.
 */
export class EmbeddedEncoder {
  readonly #targets: readonly number[] | undefined;

  /** @throws ArgumentError for qualities that do not rise from above 0 to below 1 */
  constructor(options: EmbeddedEncodeOptions = {}) {
    const { qualities } = checkOptions(options, RULES);
    this.#targets = qualities === undefined ? undefined : checkQualities(qualities);
  }

  /** NaNs and infinities are carried, too; norm and cosines are those of the finite elements. */
  encode(request: EncodeRequest): EncodedFragments {
    const source = sourceOf(request);
    const kernels = embeddedEncodeKernels(request.kernels);
    const plan = planTensor(source, request.tensor.shape, kernels);
    const tiles = encodeTiles(source, 0, plan, kernels);
    const facts = tiles.map((tile) => ({ ...tile, lengths: tile.units.map(({ length }) => length) }));
    const layout = layOutFragments(plan, facts, {
      fragments: request.fragments,
      qualities: this.#targets,
    });
    return { ...factsOf(plan, layout), payloads: payloadsOf(plan, layout, tiles) };
  }
}

/** What is said of a tensor beside its fragments. */
export function factsOf({ energy }: TensorPlan, { fragments }: TensorLayout): EncodedFacts {
  return {
    norm: Math.sqrt(energy),
    cosines: fragments.map(({ cosine }) => cosine),
    essentialFirst: true,
    interleaved: false,
    minimumFragments: 1,
  };
}

function payloadsOf(
  plan: TensorPlan,
  { fragments, sequence }: TensorLayout,
  tiles: readonly TileUnits[],
): Uint8Array[] {
  return fragments.map(({ head, first, end }) => {
    const pieces = [head];
    for (let unit = first; unit < end; unit++) {
      const pass = sequence.passes[Math.floor(unit / tiles.length)]!;
      pieces.push(tiles[unit % tiles.length]!.units[unitOfTile(pass, plan)]!);
    }
    return concatenate(pieces);
  });
}

/** The line for the table of encodings. */
export const embedded: Encoding<EmbeddedEncodeOptions> = /* @__PURE__ */ withEncoder(
  embeddedDecoding,
  (options) => new EmbeddedEncoder(options),
);

function checkQualities(qualities: readonly (number | 'exact')[]): number[] {
  const numbers = qualities.filter((quality) => quality !== 'exact');
  numbers.forEach((quality, i) => {
    if (quality > (numbers[i - 1] ?? 0) && quality < 1) return;
    throw new ArgumentError(
      "Cannot create the encoder: qualities must rise, between 0 and 1, up to 'exact'",
      { actual: qualities },
    );
  });
  return numbers;
}
