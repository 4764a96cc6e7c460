import type {
  EmbeddedEncodeKernels,
  EncodedTile,
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
import { serializeExceptions } from './exceptions.js';
import { NEVER_DENSE, type PlaneHeader, packScales, type Scales, type StreamHeader } from './format.js';
import {
  centroids,
  type Energies,
  energiesAfter,
  type MeasuredTile,
  sumsOf,
  withoutExceptions,
} from './measure.js';
import type { PlanePlan } from './plan.js';
import type { Source, Survey } from './source.js';
import { TileOrder } from './tileOrder.js';
import { UnitSequence } from './unitSequence.js';

export interface EncodedUnits {
  readonly stream: StreamHeader;
  readonly units: readonly Uint8Array[];
  /** The changes by each unit, in squares of the lowest plane's step. */
  readonly changes: readonly Energies[];
  /** Σ x², in the same unit. */
  readonly energy: number;
}

/** Codes are chosen by about this many tiles, evenly spread; of small tensors, whose headers count, by all. */
const COUNTED_TILES = 12;
const SMALL_TENSOR = 2 ** 19;

/** Codes a tensor in one pass over its tiles, after one over some of them, which finds the cheapest codes. */
export function encodeUnits(
  source: Source,
  survey: Survey,
  plan: PlanePlan,
  scales: Scales | undefined,
  kernels: EmbeddedEncodeKernels,
): EncodedUnits {
  const { elements } = survey;
  const tileSize = 2 ** plan.tileLog2;
  const order = new TileOrder(plan.base, scales);
  const tiles = Math.ceil(elements / tileSize);
  const weightsOf = (tile: number) => finiteWeights(source, survey, order, tile * tileSize, tileSize);
  const coding = chooseCodings(tiles, source, plan, kernels, (tile) => weightsOf(tile).weights);

  const encoded: EncodedTile[] = [];
  const measured: MeasuredTile[] = [];
  for (let tile = 0; tile < tiles; tile++) {
    const { weights, places, exceptions } = weightsOf(tile);
    const own = kernels.encodeTile(weights, coding, exceptions);
    encoded.push(own);
    measured.push({ energy: own.energy, sums: withoutExceptions(own, places) });
  }
  const signPlanes = encoded.reduce((planes, { denseFrom }) => planes | signPlanesOf(denseFrom), 0);
  const planes = coding.planes.map(
    (plane, j): PlaneHeader => ({
      ...plane,
      ...centroids(sumsOf(measured, j)),
      signs: ((signPlanes >> j) & 1) === 1,
    }),
  );
  const stream: StreamHeader = {
    ...plan,
    scales: scales && packScales(scales),
    planes,
    nonzero: coding.nonzero ?? new Uint8Array(0),
  };
  const sequence = new UnitSequence(stream, elements, source.whole);
  const units = new Array<Uint8Array>(sequence.length);
  const changes = new Array<Energies>(sequence.length);
  encoded.forEach((tile, i) => {
    let before: Energies = { square: 0, error: tile.energy };
    sequence.passes.forEach((pass, p) => {
      const unit = pass.kind === 'remainder' ? -1 : 2 * pass.plane + (pass.kind === 'signs' ? 1 : 0);
      units[p * tiles + i] = tile.units.at(unit)!;
      const after = energiesAfter(pass, measured[i]!, planes);
      changes[p * tiles + i] = {
        square: after.square - before.square,
        error: after.error - before.error,
      };
      before = after;
    });
  });
  return { stream, units, changes, energy: encoded.reduce((sum, { energy }) => sum + energy, 0) };
}

/** A bit for each plane that makes groups dense. */
function signPlanesOf(denseFrom: Uint8Array): number {
  let planes = 0;
  for (const plane of denseFrom) if (plane < 32) planes |= 1 << plane;
  return planes;
}

/** The codes of all planes and of the remainder, by the symbols of some tiles. */
function chooseCodings(
  tiles: number,
  { patterns, layout, whole }: Source,
  plan: PlanePlan,
  kernels: EmbeddedEncodeKernels,
  weightsOf: (tile: number) => TileWeights,
): TileCoding {
  const step = patterns.length < SMALL_TENSOR ? 1 : Math.ceil(tiles / COUNTED_TILES);
  const zeros = new Uint32Array(SYMBOL_COUNTS);
  const counted: TileCounts[] = [];
  for (let tile = step >> 1; tile < tiles; tile += step) {
    const weights = weightsOf(tile);
    const counts = kernels.countTile(weights, plan, plan.threshold === NEVER_DENSE);
    counted.push(counts);
    if (!plan.markZeros) continue;
    const classes = counts.counts.map((count) => CLASS_OF[count]!);
    countSymbols(nonzeroBitmap(layout, plan.scale, sortedPatterns(weights)), classes, zeros);
  }
  // Tiles that have not been counted may have groups of any class.
  const classes = step > 1 ? CLASS_OF[Math.min(GROUP, plan.threshold - 1)]! + 1 : 0;
  const nonzero = plan.markZeros ? chooseCodes(zeros, step > 1 ? CLASSES : 0).selection : new Uint8Array(0);
  return {
    ...plan,
    planes: Array.from({ length: plan.depth }, (_, j) => ({
      ...cheapest(counted, plan, j, classes, counted.length / tiles),
      level: plan.depth - 1 - j,
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
  { threshold }: PlanePlan,
  j: number,
  classes: number,
  share: number,
): Omit<PlaneCoding, 'level'> {
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
  const one = { ...chooseCodes(together, classes), apart: false };
  const two = { ...chooseCodes(apart, classes), apart: true };
  two.cost += significant;
  const { cost, ...selected } = threshold === NEVER_DENSE && two.cost < one.cost ? two : one;
  if (fixedCost < cost + GROUP * rawGroups + SELECTION_BITS * share) {
    return { selection: new Uint8Array(0), apart: false, fixed: true };
  }
  return { ...selected, fixed: false };
}

interface FiniteWeights {
  readonly weights: TileWeights;
  /** Places of NaNs and infinities in the tile; the weights have zeros there. */
  readonly places: readonly number[];
  /** These, as the remainder begins. */
  readonly exceptions: Uint8Array;
}

const NO_EXCEPTIONS = /* @__PURE__ */ Uint8Array.of(0);

function finiteWeights(
  { patterns, layout }: Source,
  { exceptions }: Survey,
  order: TileOrder,
  start: number,
  tileSize: number,
): FiniteWeights {
  const own = patterns.subarray(start, start + tileSize);
  const parts = order.isNatural ? undefined : order.parts(start, own.length);
  const scales = order.scalesOf(start, own.length);
  const weights = { patterns: own, layout, parts, scales };
  if (exceptions === 0) return { weights, places: [], exceptions: NO_EXCEPTIONS };
  const sorted = sortedPatterns(weights);
  const { mantissaBits, exponentBits } = layout;
  const special = 2 ** exponentBits - 1;
  const places: number[] = [];
  sorted.forEach((pattern, i) => {
    if (((pattern >>> mantissaBits) & special) === special) places.push(i);
  });
  const finite = sorted.slice();
  for (const place of places) finite[place] = 0;
  return {
    weights: { ...weights, patterns: finite, parts: undefined },
    places,
    exceptions: serializeExceptions(places, sorted),
  };
}
