import type {
  EmbeddedEncodeKernels,
  PlaneCoding,
  TileCoding,
  TileCounts,
  TileWeights,
} from '../../kernels/embedded/interface.js';
import {
  chooseCodes,
  countSymbols,
  nonzeroBitmap,
  SYMBOL_COUNTS,
  sortedPatterns,
} from '../../kernels/embedded/survey.js';
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
  { layout, whole }: Pick<Source, 'layout' | 'whole'>,
  plan: PlanePlan,
  kernels: Pick<EmbeddedEncodeKernels, 'countTile'>,
  weightsOf: (tile: number) => TileWeights,
): TileCoding {
  const isSampled = stepOf(elements, plan) > 1;
  const zeros = new Uint32Array(SYMBOL_COUNTS);
  const counted: TileCounts[] = [];
  const tiles = countedTiles(elements, plan).map(weightsOf);
  const choice = plan.sparse ? NEVER : EARLY;
  for (const weights of tiles) {
    const counts = kernels.countTile(weights, { ...plan, ...choice }, plan.sparse);
    counted.push(counts);
    if (!plan.markZeros) continue;
    const classes = counts.counts.map((count) => CLASS_OF[count]!);
    countSymbols(nonzeroBitmap(layout, plan.scale, sortedPatterns(weights)), classes, zeros);
  }
  // Tiles that have not been counted may have groups of any class.
  const classes = isSampled ? CLASS_OF[Math.min(GROUP, choice.dense.threshold - 1)]! + 1 : 0;
  const nonzero = plan.markZeros ? chooseCodes(zeros, isSampled ? CLASSES : 0).selection : new Uint8Array(0);
  const share = counted.length / Math.ceil(elements / 2 ** plan.tileLog2);
  return {
    ...plan,
    ...choice,
    planes: Array.from({ length: plan.depth }, (_, j) => ({
      ...cheapest(counted, plan.sparse, j, classes, share),
      level: plan.depth - 1 - j,
      codedDense: choice.codedDense,
    })),
    nonzero: whole ? undefined : nonzero,
  };
}

/** Bits that a selection costs in the header, beside those of its codes. */
const SELECTION_BITS = 8 * 6;

/**
 * Separate bitmaps for the bits of significant weights pay where those are among zeros that remain zeros. Elsewhere
 * both ways cost the same, and one bitmap is faster.
 * @param classes that a selection serves at least
 * @param share of all tiles that are counted
 */
function cheapest(
  counted: readonly TileCounts[],
  sparse: boolean,
  j: number,
  classes: number,
  share: number,
): Omit<PlaneCoding, 'level' | 'codedDense'> {
  const together = new Uint32Array(SYMBOL_COUNTS);
  const apart = new Uint32Array(SYMBOL_COUNTS);
  let fixedCost = 0;
  let rawGroups = 0;
  let significant = 0;
  for (const { symbols, costs } of counted) {
    const start = 2 * SYMBOL_COUNTS * j;
    for (let k = 0; k < SYMBOL_COUNTS; k++) {
      together[k]! += symbols[start + k]!;
      apart[k]! += symbols[start + SYMBOL_COUNTS + k]!;
    }
    fixedCost += costs[3 * j]!;
    rawGroups += costs[3 * j + 1]!;
    significant += costs[3 * j + 2]!;
  }
  let best = { ...chooseCodes(together, classes), apart: false };
  if (sparse) {
    const codes = chooseCodes(apart, classes);
    const cost = codes.cost + significant;
    if (cost < best.cost) best = { ...codes, cost, apart: true };
  }
  const { cost, ...selected } = best;
  if (fixedCost < cost + GROUP * rawGroups + SELECTION_BITS * share) {
    return { selection: new Uint8Array(0), apart: false, fixed: true };
  }
  return { ...selected, fixed: false };
}
