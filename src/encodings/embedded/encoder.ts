import type { EmbeddedEncodeKernels, PlaneCoding, TileSurvey } from '../../kernels/embedded/interface.js';
import {
  COUNT,
  chooseCodes,
  countSymbols,
  nonzeroBitmap,
  SIGNIFICANT,
  SYMBOL_COUNTS,
} from '../../kernels/embedded/survey.js';
import { finalClasses, GROUP } from '../../kernels/embedded/tile.js';
import { serializeExceptions } from './exceptions.js';
import { NEVER_DENSE, type PlaneHeader, packScales, type Scales, type StreamHeader } from './format.js';
import { centroids, type Energies, energiesAfter, sumsOf, withoutExceptions } from './measure.js';
import type { PlanePlan } from './plan.js';
import { inOrder, type Source } from './source.js';
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

/** Codes a tensor in two passes over its tiles: the first finds the cheapest codes, the second uses them. */
export function encodeUnits(
  unordered: Source,
  plan: PlanePlan,
  scales: Scales | undefined,
  kernels: EmbeddedEncodeKernels,
): EncodedUnits {
  const { layout } = unordered;
  const { elements } = unordered.survey;
  const tileSize = 2 ** plan.tileLog2;
  const order = new TileOrder(plan.base, scales);
  const source = inOrder(unordered, order);
  const tilePlan = { ...plan, apart: plan.threshold === NEVER_DENSE };
  const tiles: TileSurvey[] = [];
  for (let start = 0; start < elements; start += tileSize) {
    const end = Math.min(start + tileSize, elements);
    const ofGroups = order.scalesOf(start, end - start);
    const tile = kernels.surveyTile(source.numbers(start, end), { ...tilePlan, scales: ofGroups });
    tiles.push(withoutExceptions(tile, exceptionsOf(source, start, end), plan.threshold));
  }
  const planes = Array.from({ length: plan.depth }, (_, j) => planeHeader(tiles, plan, j));
  const stream: StreamHeader = {
    ...plan,
    scales: scales && packScales(scales),
    planes,
    nonzero: new Uint8Array(0),
  };
  const sequence = new UnitSequence(stream, elements, layout === undefined);
  const coded = tiles.map((tile, i) =>
    kernels.encodeTile(tile, sequence.range(i).count, planes, plan.threshold),
  );
  const units = new Array<Uint8Array>(sequence.length);
  const changes = new Array<Energies>(sequence.length);
  const energy = tiles.reduce((sum, tile) => sum + tile.energy, 0);
  const place = (pass: number, tile: number, unit: Uint8Array) => {
    units[pass * sequence.tiles + tile] = unit;
  };
  coded.forEach((tile, i) => {
    for (const [pass, unit] of tile.units.entries()) place(pass, i, unit);
    let before: Energies = { square: 0, error: tiles[i]!.energy };
    sequence.passes.forEach((pass, p) => {
      const after = energiesAfter(pass, tiles[i]!, planes);
      changes[p * sequence.tiles + i] = {
        square: after.square - before.square,
        error: after.error - before.error,
      };
      before = after;
    });
  });
  if (layout === undefined) return { stream, units, changes, energy };

  const finite = tiles.map((_, i) => finitePart(source, sequence.range(i)));
  const nonzero = plan.markZeros ? chooseNonzero() : stream.nonzero;
  coded.forEach(({ state }, i) => {
    const { exceptions, patterns } = finite[i]!;
    const bits = kernels.encodeRemainder({ state, layout, scale: plan.scale, selection: nonzero }, patterns);
    place(sequence.passes.length - 1, i, joined(exceptions, bits));
  });
  return { stream: { ...stream, nonzero }, units, changes, energy };

  function chooseNonzero(): Uint8Array {
    const counts = new Uint32Array(SYMBOL_COUNTS);
    coded.forEach(({ state }, i) => {
      countSymbols(nonzeroBitmap(layout!, plan.scale, finite[i]!.patterns), finalClasses(state), counts);
    });
    return chooseCodes(counts).selection;
  }
}

/**
 * Separate bitmaps for the bits of significant weights pay where those are among zeros that remain zeros. Elsewhere
 * both ways cost the same, and one bitmap is faster.
 */
function planeHeader(tiles: readonly TileSurvey[], plan: PlanePlan, j: number): PlaneHeader {
  const together = new Uint32Array(SYMBOL_COUNTS);
  const apart = new Uint32Array(SYMBOL_COUNTS);
  for (const { symbols } of tiles) {
    const start = 2 * SYMBOL_COUNTS * j;
    for (let k = 0; k < SYMBOL_COUNTS; k++) {
      together[k]! += symbols[start + k]!;
      apart[k]! += symbols[start + SYMBOL_COUNTS + k]!;
    }
  }
  return {
    ...centroids(sumsOf(tiles, j)),
    ...cheapest(tiles, j, together, plan.threshold === NEVER_DENSE ? apart : undefined),
    level: plan.depth - 1 - j,
    signs: tiles.some(({ signPlanes }) => ((signPlanes >> j) & 1) === 1),
  };
}

/** Bits that a selection costs in the header, beside those of its codes. */
const SELECTION_BITS = 8 * 6;

function cheapest(
  tiles: readonly TileSurvey[],
  j: number,
  together: Uint32Array,
  apart: Uint32Array | undefined,
): Omit<PlaneCoding, 'level'> {
  const one = chooseCodes(together);
  const two = apart === undefined ? undefined : chooseCodes(apart);
  const selected =
    two !== undefined && two.cost + significantBefore(tiles, j) < one.cost
      ? { selection: two.selection, apart: true, cost: two.cost + significantBefore(tiles, j) }
      : { selection: one.selection, apart: false, cost: one.cost };
  let fixedCost = 0;
  let rawGroups = 0;
  for (const { costs } of tiles) {
    fixedCost += costs[2 * j]!;
    rawGroups += costs[2 * j + 1]!;
  }
  if (fixedCost < selected.cost + GROUP * rawGroups + SELECTION_BITS) {
    return { selection: new Uint8Array(0), apart: false, fixed: true };
  }
  return { selection: selected.selection, apart: selected.apart, fixed: false };
}

/** Weights that planes before this one have made significant: the number of bits to keep apart. */
function significantBefore(tiles: readonly TileSurvey[], j: number): number {
  return j === 0 ? 0 : sumsOf(tiles, j - 1)[SIGNIFICANT + COUNT]!;
}

/** The patterns of a tile with those of NaNs and infinities replaced by 0, and these as the remainder begins. */
function finitePart(
  source: Source,
  { start, count }: { start: number; count: number },
): { patterns: Uint16Array | Uint32Array; exceptions: Uint8Array } {
  const own = source.patterns!(start, start + count);
  const places = exceptionsOf(source, start, start + count);
  const exceptions = serializeExceptions(places, own);
  if (places.length === 0) return { patterns: own, exceptions };
  const finite = own.slice();
  for (const place of places) finite[place] = 0;
  return { patterns: finite, exceptions };
}

/** Places of NaNs and infinities in a tile. */
function exceptionsOf({ patterns, survey, layout }: Source, start: number, end: number): number[] {
  const places: number[] = [];
  if (survey.exceptions === 0 || layout === undefined) return places;
  const { mantissaBits, exponentBits } = layout;
  const special = 2 ** exponentBits - 1;
  patterns!(start, end).forEach((pattern, i) => {
    if (((pattern >>> mantissaBits) & special) === special) places.push(i);
  });
  return places;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
