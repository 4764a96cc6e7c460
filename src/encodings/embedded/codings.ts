import { chooseReplaced, FIXED_SYMBOL_COUNTS, fixedCost } from '../../kernels/embedded/fixedSymbols.js';
import type {
  EmbeddedEncodeKernels,
  PlaneCoding,
  TileCoding,
  TileCounts,
  TileWeights,
} from '../../kernels/embedded/interface.js';
import { chooseCodes, SYMBOL_COUNTS } from '../../kernels/embedded/survey.js';
import { CLASS_OF, CLASSES, GROUP } from '../../kernels/embedded/tile.js';
import type { PlanePlan } from './plan.js';
import type { Source } from './source.js';
import { NEVER_DENSE, NO_RATIO } from './streamHeader.js';

/** Codes are chosen by about this many tiles, evenly spread; of small tensors, whose headers count, by all. */
const COUNTED_TILES = 12;
const SMALL_TENSOR = 2 ** 19;

function stepOf(elements: number, { tileLog2 }: PlanePlan): number {
  const tiles = Math.ceil(elements / 2 ** tileLog2);
  return elements < SMALL_TENSOR ? 1 : Math.ceil(tiles / COUNTED_TILES);
}

/** The tiles by which the codes of a tensor are chosen. */
export function countedTiles(elements: number, plan: PlanePlan): number[] {
  const tiles = Math.ceil(elements / 2 ** plan.tileLog2);
  const step = stepOf(elements, plan);
  const counted: number[] = [];
  for (let tile = step >> 1; tile < tiles; tile += step) counted.push(tile);
  return counted;
}

/** When groups become dense, and how many of their planes are coded from then on. */
type DenseChoice = Pick<TileCoding, 'dense' | 'codedDense'>;

/**
 * Once the threshold of the planes is below about twice the scale of a group, signs for all of its weights reduce the error by
 * more than the bits that tell which are significant (measured: see docs/embedded.md). So early, a second plane is worth coding.
 */
const EARLY: DenseChoice = { dense: { threshold: 32, ratio: -4 }, codedDense: 2 };

/** Among many zeros: a zero has no use for a sign, nor for raw bits. */
const NEVER: DenseChoice = { dense: { threshold: NEVER_DENSE, ratio: NO_RATIO }, codedDense: 1 };

/**
 * The codes of all planes and of the remainder.
 * @param weightsOf the weights of each of the counted tiles
 */
export function chooseCodings(
  elements: number,
  { whole }: Pick<Source, 'whole'>,
  plan: PlanePlan,
  kernels: Pick<EmbeddedEncodeKernels, 'countTiles'>,
  weightsOf: (tile: number) => TileWeights,
): TileCoding {
  const isSampled = stepOf(elements, plan) > 1;
  const tiles = countedTiles(elements, plan).map(weightsOf);
  const choice = plan.sparse ? NEVER : EARLY;
  const marks = !whole && plan.markZeros;
  const counts = kernels.countTiles(tiles, { ...plan, ...choice }, plan.sparse, marks);
  // Tiles that have not been counted may have groups of any class.
  const classes = isSampled ? CLASS_OF[Math.min(GROUP, choice.dense.threshold - 1)]! + 1 : 0;
  const share = tiles.length / Math.ceil(elements / 2 ** plan.tileLog2);
  const selected = Array.from({ length: plan.depth }, (_, j) =>
    plan.sparse ? selectionOf(counts, j, classes, share) : undefined,
  );
  const symbols = new Uint32Array(FIXED_SYMBOL_COUNTS);
  counts.fixed.forEach((own, j) => {
    if (selected[j] === undefined) for (let i = 0; i < symbols.length; i++) symbols[i]! += own[i]!;
  });
  const fixed = chooseReplaced(symbols, REPLACED_BITS * share);
  return {
    ...plan,
    ...choice,
    planes: selected.map((coding, j) => ({
      ...(coding ?? { selection: new Uint8Array(0), apart: false, fixed }),
      level: plan.depth - 1 - j,
      codedDense: choice.codedDense,
    })),
    nonzero: whole ? undefined : nonzeroSelection(counts, marks, isSampled),
  };
}

/** The codes of the remainder's bitmap. */
function nonzeroSelection({ nonzero }: TileCounts, marks: boolean, isSampled: boolean): Uint8Array {
  return marks ? chooseCodes(nonzero, isSampled ? CLASSES : 0).selection : new Uint8Array(0);
}

/** Bits that a replaced letter costs in the header. */
const REPLACED_BITS = 13;
/** Bits that a selection costs in the header, beside those of its codes. */
const SELECTION_BITS = 8 * 6;

/**
 * The selection of a plane among many zeros; undefined: fixed codes cost less. Separate bitmaps for the bits of significant
 * weights pay where those are among zeros that remain zeros.
 * @param classes that it serves at least
 * @param share of all tiles that are counted
 */
function selectionOf(
  { symbols, costs, fixed }: TileCounts,
  j: number,
  classes: number,
  share: number,
): Pick<PlaneCoding, 'selection' | 'apart' | 'fixed'> | undefined {
  const start = 2 * SYMBOL_COUNTS * j;
  const together = chooseCodes(symbols.subarray(start, start + SYMBOL_COUNTS), classes);
  const apart = chooseCodes(symbols.subarray(start + SYMBOL_COUNTS, start + 2 * SYMBOL_COUNTS), classes);
  const rawGroups = costs[2 * j]!;
  const significant = costs[2 * j + 1]!;
  const isApart = apart.cost + significant < together.cost;
  const cost = (isApart ? apart.cost + significant : together.cost) + GROUP * rawGroups;
  if (fixedCost(fixed[j]!) < cost + SELECTION_BITS * share) return undefined;
  return { selection: (isApart ? apart : together).selection, apart: isApart, fixed: undefined };
}
