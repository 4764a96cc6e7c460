import type {
  DenseRule,
  EmbeddedEncodeKernels,
  EncodedTile,
  TileWeights,
} from '../../kernels/embedded/interface.js';
import { sortedPatterns } from '../../kernels/embedded/survey.js';
import { GROUP } from '../../kernels/embedded/tile.js';
import { NEVER_DENSE, NO_RATIO, type PlaneHeader } from './format.js';
import { centroids, type Energies, energiesAfter, sumsOf } from './measure.js';
import type { PlanePlan } from './plan.js';

/** When groups become dense, and how many of their planes are coded from then on. */
export interface DenseChoice {
  readonly dense: DenseRule;
  readonly codedDense: number;
}

/**
 * Once about a third of a group is significant, the bits of the next plane are nearly random, and signs for all weights
 * reduce the error by more than the bits that tell which are significant (measured: see docs/embedded.md). How early they
 * pay depends on where the threshold of the planes is between the weights' scale and its double, on tails, and on the
 * quality that is wanted, so some are tried. By scale, groups become dense early: then a second plane is worth coding.
 */
const CANDIDATES: readonly DenseChoice[] = [
  { dense: { threshold: 8, ratio: NO_RATIO }, codedDense: 1 },
  { dense: { threshold: 32, ratio: -4 }, codedDense: 2 },
];

/** Among many zeros: a zero has no use for a sign, nor for raw bits. */
const NEVER: DenseChoice = { dense: { threshold: NEVER_DENSE, ratio: NO_RATIO }, codedDense: 1 };

/** Cosines at which bits are compared, beside those of the whole. */
const QUALITIES = [0.9, 0.99, 0.999];

/** Candidates are tried with this many weights of about so many tiles. */
const TRIED_WEIGHTS = 1024;
const TRIED_TILES = 8;

/**
 * The choice by which samples take the fewest bits until they reach useful qualities.
 * @param tiles some of the tensor
 */
export function chooseDense(
  tiles: readonly TileWeights[],
  plan: PlanePlan,
  kernels: Pick<EmbeddedEncodeKernels, 'encodeTile'>,
): DenseChoice {
  if (plan.sparse) return NEVER;
  const step = Math.ceil(tiles.length / TRIED_TILES);
  const samples = tiles.filter((_, i) => i % step === step >> 1).map(sampleOf);
  let best = { cost: Number.POSITIVE_INFINITY, choice: CANDIDATES[0]! };
  for (const choice of CANDIDATES) {
    const cost = costOf(samples, plan, choice, kernels);
    if (cost < best.cost) best = { cost, choice };
  }
  return best.choice;
}

/** Groups from the middle of a tile. */
function sampleOf(tile: TileWeights): TileWeights {
  const first = GROUP * Math.floor(Math.max(0, tile.patterns.length - TRIED_WEIGHTS) / 2 / GROUP);
  const patterns = sortedPatterns(tile, first, first + TRIED_WEIGHTS);
  const scales = tile.scales.subarray(first / GROUP, first / GROUP + Math.ceil(patterns.length / GROUP));
  return { patterns, layout: tile.layout, parts: undefined, scales };
}

/** Bytes until each of the qualities and to the end of the planes, added up. */
function costOf(
  tiles: readonly TileWeights[],
  plan: PlanePlan,
  choice: DenseChoice,
  kernels: Pick<EmbeddedEncodeKernels, 'encodeTile'>,
): number {
  const { depth } = plan;
  const { codedDense } = choice;
  const selection = new Uint8Array(0);
  const planes = Array.from({ length: depth }, (_, j) => {
    return { selection, apart: false, fixed: true, level: depth - 1 - j, codedDense };
  });
  const coding = { ...plan, ...choice, planes, nonzero: undefined };
  const encoded = tiles.map((tile) => kernels.encodeTile(tile, coding, new Uint8Array(0)));
  const headers = planes.map(
    (plane, j): PlaneHeader => ({ ...plane, ...centroids(sumsOf(encoded, j)), signs: true }),
  );
  const energy = encoded.reduce((sum, tile) => sum + tile.energy, 0);
  let reached = 0;
  let before: Energies = { square: 0, error: energy };
  let bytes = 0;
  let cost = 0;
  for (let unit = 0; unit < 2 * depth; unit++) {
    const pass = { kind: unit % 2 === 0 ? 'plane' : 'signs', plane: unit >> 1 } as const;
    const after = energiesOf(encoded, (tile) => energiesAfter(pass, tile, headers));
    const more = encoded.reduce((sum, { units }) => sum + units[unit]!.length, 0);
    for (; reached < QUALITIES.length && cosineOf(after, energy) >= QUALITIES[reached]!; reached++) {
      cost += bytes + more * partUntil(QUALITIES[reached]!, before, after, energy);
    }
    bytes += more;
    before = after;
  }
  return cost + (QUALITIES.length - reached + 1) * bytes;
}

function energiesOf(tiles: readonly EncodedTile[], of: (tile: EncodedTile) => Energies): Energies {
  let square = 0;
  let error = 0;
  for (const own of tiles.map(of)) {
    square += own.square;
    error += own.error;
  }
  return { square, error };
}

function cosineOf({ square, error }: Energies, energy: number): number {
  return square > 0 ? (energy + square - error) / (2 * Math.sqrt(square * energy)) : 0;
}

/** The part of a pass from `before` to `after` that reaches this cosine, to a hundredth. */
function partUntil(target: number, before: Energies, after: Energies, energy: number): number {
  let low = 0;
  let high = 1;
  while (high - low > 0.01) {
    const part = (low + high) / 2;
    const square = before.square + part * (after.square - before.square);
    const error = before.error + part * (after.error - before.error);
    if (cosineOf({ square, error }, energy) < target) low = part;
    else high = part;
  }
  return high;
}
