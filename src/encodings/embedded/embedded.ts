import { finish, type Steps } from '../../async/steps.js';
import { checkOptions, listOf, number, type Rules } from '../../checks/options.js';
import { ArgumentError } from '../../errors.js';
import { embeddedEncodeKernels } from '../../kernels/embedded/encodeKernels.js';
import type { EmbeddedEncodeKernels } from '../../kernels/embedded/interface.js';
import {
  type EncodedFacts,
  type EncodedFragments,
  type EncodeRequest,
  type Encoding,
  withEncoder,
} from '../encoding.js';
import { cutsUnits } from './cutUnits.js';
import { embeddedDecoding } from './decoder.js';
import { encodeTiles, groupsEncoder, type TileUnits, tilesOf } from './encoder.js';
import { layOutFragments, type TensorLayout } from './fragmentLayout.js';
import type { TensorPlan } from './plan.js';
import { planTensor } from './planTensor.js';
import { type Source, sourceOf } from './source.js';
import { unitOfTile } from './unitSequence.js';

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
    this.#targets = targetsOf(options);
  }

  /** NaNs and infinities are carried, too; norm and cosines are those of the finite elements. */
  encode(request: EncodeRequest): EncodedFragments {
    return finish(this.encoding(request));
  }

  /** The same in steps, between which others can be let in. */
  *encoding(request: EncodeRequest): Steps<EncodedFragments> {
    const source = sourceOf(request);
    const { memory, tensor } = request;
    const kernels = embeddedEncodeKernels(request.kernels);
    const plan = yield* planTensor(source, tensor.shape, kernels);
    const cuts = cutsUnits(plan);
    // Elements that had to become other numbers first are the encoder's own. Where units are cut, they are encoded again.
    const isOwn = memory?.mayOverwrite || source.patterns.buffer !== tensor.data.buffer;
    const tiles = yield* encodingTiles(source, plan, kernels, isOwn && !cuts);
    const encoder = groupsEncoder(plan, source.layout, kernels, tilesOf(source.patterns, plan));
    const targets = { fragments: request.fragments, qualities: this.#targets };
    const layout = layOutFragments(plan, tiles, targets, cuts ? encoder : undefined);
    return { ...factsOf(plan, layout), payloads: payloadsOf(plan, layout, tiles, memory?.payloads) };
  }
}

/** Elements whose tiles are encoded in a step: some milliseconds. */
const STEP_ELEMENTS = 2 ** 20;

function* encodingTiles(
  { patterns, layout }: Source,
  plan: TensorPlan,
  kernels: Pick<EmbeddedEncodeKernels, 'encodeTile'>,
  mayOverwrite: boolean,
): Steps<TileUnits[]> {
  const tiles: TileUnits[] = [];
  const tileSize = 2 ** plan.planes.tileLog2;
  for (let start = 0; start < patterns.length; start += STEP_ELEMENTS) {
    const part = { patterns: patterns.subarray(start, start + STEP_ELEMENTS), layout };
    // Not as arguments of push: there may be many.
    for (const tile of encodeTiles(part, start / tileSize, plan, kernels, mayOverwrite)) tiles.push(tile);
    yield;
  }
  return tiles;
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
  room: Uint8Array = new Uint8Array(0),
): Uint8Array[] {
  const { passes } = sequence;
  const units = tiles[0]?.lengths.length ?? 0;
  // Where units begin in the bytes of their tiles.
  const starts = new Uint32Array(units * tiles.length);
  tiles.forEach(({ lengths }, tile) => {
    for (let unit = 1; unit < units; unit++) {
      starts[units * tile + unit] = starts[units * tile + unit - 1]! + lengths[unit - 1]!;
    }
  });
  const bytesOf = (unit: number) => {
    const tile = unit % tiles.length;
    const own = unitOfTile(passes[Math.floor(unit / tiles.length)]!, plan.coding.depth);
    const { bytes, lengths } = tiles[tile]!;
    const start = starts[units * tile + own]!;
    return bytes.subarray(start, start + lengths[own]!);
  };
  const sizes = fragments.map(({ size }) => size);
  const fits = sizes.reduce((sum, size) => sum + size, 0) <= room.length;
  let start = 0;
  return fragments.map(({ head, first, end, from, to, size }) => {
    const payload = fits ? room.subarray(start, start + size) : new Uint8Array(size);
    start += size;
    payload.set(head);
    let at = head.length;
    for (let unit = first; unit < end; unit++) {
      const part = unit === first ? from : undefined;
      const bytes = part ?? (unit === end - 1 ? to : undefined) ?? bytesOf(unit);
      payload.set(bytes, at);
      at += bytes.length;
    }
    return payload;
  });
}

/** The line for the table of encodings. */
export const embedded: Encoding<EmbeddedEncodeOptions> = /* @__PURE__ */ withEncoder(
  embeddedDecoding,
  (options) => new EmbeddedEncoder(options),
);

/**
 * The cosines at which fragments are to end; undefined where that is left to the encoder.
 * @throws ArgumentError for qualities that do not rise from above 0 to below 1
 */
export function targetsOf(options: EmbeddedEncodeOptions): readonly number[] | undefined {
  const { qualities } = checkOptions(options, RULES);
  return qualities === undefined ? undefined : checkQualities(qualities);
}

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
