import type { Steps } from '../../async/steps.js';
import type { EmbeddedEncodeKernels } from '../../kernels/embedded/interface.js';
import { chooseCodings } from './codings.js';
import { tilesOf, weightsIn } from './encoder.js';
import { planPlanes, type SurveyedTensor, type TensorPlan, tileLog2Of } from './plan.js';
import { chooseScales, rowLengths } from './scales.js';
import type { Source } from './source.js';
import { TensorSurvey } from './survey.js';

/** Of what tensors are taken for whose rows have no scales: it fits a near cache. */
const LONGEST_ROW = 4096;

type Bits = Pick<Source, 'layout' | 'whole'>;

/** Finds what the whole tensor decides, from parts of it that come one after another. */
export class TensorPlanner {
  /** Elements of the parts are a multiple of this, but of the last one. */
  readonly partStep: number;
  readonly #bits: Bits;
  readonly #hasRows: boolean;
  readonly #survey: TensorSurvey;

  constructor(
    shape: readonly number[],
    elements: number,
    bits: Bits,
    kernels: Pick<EmbeddedEncodeKernels, 'surveyRows'>,
  ) {
    const lengths = rowLengths(shape, elements, 2 ** tileLog2Of(elements, bits.layout));
    this.partStep = lengths[0] ?? LONGEST_ROW;
    this.#bits = bits;
    this.#hasRows = lengths.length > 0;
    this.#survey = new TensorSurvey(elements, bits.layout, this.#hasRows ? lengths : [LONGEST_ROW], kernels);
  }

  add(patterns: Source['patterns']): void {
    this.#survey.add(patterns);
  }

  /** Once all parts have been added. */
  finish(): SurveyedTensor {
    const { counts, energies } = this.#survey;
    const { elements, exceptions, energy } = counts;
    const planes = planPlanes(counts, this.#bits.layout, this.#bits.whole);
    // Among many zeros, planes have selections, which know no scales.
    const mayScale = this.#hasRows && !planes.sparse;
    return { elements, exceptions, energy, planes, scales: mayScale ? chooseScales(energies) : undefined };
  }
}

/**
 * Adds the codes.
 * @param tileOf the elements of a tile, for those of `countedTiles`
 */
export function withCodings(
  surveyed: SurveyedTensor,
  bits: Bits,
  kernels: Pick<EmbeddedEncodeKernels, 'countTiles'>,
  tileOf: (tile: number) => Source['patterns'],
): TensorPlan {
  const weightsOf = weightsIn(surveyed, bits.layout);
  const { elements, planes } = surveyed;
  const tile = (number: number) => weightsOf(tileOf(number), number).weights;
  return { ...surveyed, coding: chooseCodings(elements, bits, planes, kernels, tile) };
}

/** Elements that are surveyed in a step: some milliseconds. */
const STEP_ELEMENTS = 2 ** 22;

/** The plan of a tensor that is in memory. */
export function* planTensor(
  { patterns, ...bits }: Source,
  shape: readonly number[],
  kernels: EmbeddedEncodeKernels,
): Steps<TensorPlan> {
  const planner = new TensorPlanner(shape, patterns.length, bits, kernels);
  const step = planner.partStep * Math.ceil(STEP_ELEMENTS / planner.partStep);
  for (let start = 0; start < patterns.length; start += step) {
    planner.add(patterns.subarray(start, start + step));
    yield;
  }
  const surveyed = planner.finish();
  return withCodings(surveyed, bits, kernels, tilesOf(patterns, surveyed));
}
