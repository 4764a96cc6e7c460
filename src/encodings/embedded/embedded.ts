import { checkOptions, listOf, number, type Rules } from '../../checks/options.js';
import { ArgumentError } from '../../errors.js';
import { embeddedEncodeKernels } from '../../kernels/embedded/encodeKernels.js';
import { type EncodedFragments, type EncodeRequest, type Encoding, withEncoder } from '../encoding.js';
import { cutsForQualities, refineCuts, type UnitQuality, usefulQualities } from './cuts.js';
import { embeddedDecoding } from './decoder.js';
import { type EncodedUnits, encodeUnits } from './encoder.js';
import { NEVER_DENSE, serializeFragment } from './format.js';
import { planPlanes, tileLog2Of } from './plan.js';
import { chooseScales, rowLengths } from './scales.js';
import { sourceOf, surveyOf } from './source.js';

/** Where the embedded encoding ends its fragments. */
export interface EmbeddedEncodeOptions {
  /**
   * Ends of fragments, in place of their number: a fragment ends when the cosine similarity with the tensor reaches
   * each of these, rising, in (0, 1). A last fragment always makes it exact, with or without 'exact'.
   */
  readonly qualities?: readonly (number | 'exact')[] | undefined;
}

/** Of what tensors are taken for whose rows have no scales: it fits a near cache. */
const LONGEST_ROW = 4096;

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
    const elements = source.patterns.length;
    const lengths = rowLengths(request.tensor.shape, elements, 2 ** tileLog2Of(elements));
    const { survey, energies } = surveyOf(source, lengths[0] ?? LONGEST_ROW, kernels);
    const plan = planPlanes(survey, source.whole ? undefined : source.layout);
    // Among many zeros, planes have selections, which know no scales.
    const wanted = plan.threshold === NEVER_DENSE ? [] : lengths;
    const scales = chooseScales(
      wanted.map((length, i) => (i === 0 ? energies : surveyOf(source, length, kernels).energies)),
    );
    const encoded = encodeUnits(source, survey, plan, scales, kernels);
    const { units, stream } = encoded;
    const qualities = unitQualities(encoded);
    const cuts = chooseCuts(request.fragments, this.#targets, units, qualities);
    const payloads = cuts.map((end, index) => {
      const first = index === 0 ? 0 : cuts[index - 1]!;
      const quality = qualities[end - 1] ?? EXACT;
      const header = { elements, first, ...quality, stream: index === 0 ? stream : undefined };
      return serializeFragment(header, units.slice(first, end));
    });
    return {
      payloads,
      norm: Math.sqrt(survey.energy),
      cosines: cuts.map((end) => (qualities[end - 1] ?? EXACT).cosine),
      essentialFirst: true,
      interleaved: false,
      minimumFragments: 1,
    };
  }
}

/** The line for the table of encodings. */
export const embedded: Encoding<EmbeddedEncodeOptions> = /* @__PURE__ */ withEncoder(
  embeddedDecoding,
  (options) => new EmbeddedEncoder(options),
);

const EXACT: UnitQuality = { cosine: 1, relativeError: 0 };

/** The quality of each prefix of units. */
function unitQualities({ changes, energy }: EncodedUnits): UnitQuality[] {
  let square = 0;
  let error = energy;
  const qualities = changes.map((change): UnitQuality => {
    square += change.square;
    error = Math.max(0, error + change.error);
    if (energy === 0) return EXACT;
    if (square <= 0) return { cosine: 0, relativeError: 1 };
    // ‖x − x̂‖² = ‖x‖² − 2⟨x, x̂⟩ + ‖x̂‖²
    const dot = (energy + square - error) / 2;
    return {
      cosine: Math.min(1, Math.max(0, dot / Math.sqrt(square * energy))),
      relativeError: Math.sqrt(error / energy),
    };
  });
  if (qualities.length > 0) qualities[qualities.length - 1] = EXACT;
  return qualities;
}

function chooseCuts(
  fragments: number,
  targets: readonly number[] | undefined,
  units: readonly Uint8Array[],
  reached: readonly UnitQuality[],
): number[] {
  // A tensor without elements has no units, but still a fragment with the headers.
  if (units.length === 0) return [0];
  if (targets !== undefined) return cutsForQualities(reached, targets);
  const cuts = cutsForQualities(reached, usefulQualities(fragments));
  return refineCuts(
    cuts,
    units.map(({ length }) => length),
    fragments,
  );
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
