import { contextsOf } from '../contexts.js';
import { countFixedSymbols, FIXED_SYMBOL_COUNTS } from '../fixedSymbols.js';
import type { DenseRule, TileCounts, TilePlan, TileState, TileWeights } from '../interface.js';
import {
  COUNT,
  countSymbols,
  FRESH_ZERO,
  nonzeroBitmap,
  SIGNIFICANT,
  SUM_Q,
  SUM_Q_Q,
  SUM_R,
  SUM_R_R,
  SUMS,
  SYMBOL_COUNTS,
  sortedPatterns,
  UNKNOWN,
  ZERO,
} from '../survey.js';
import {
  becomesDense,
  CLASSES,
  FIRST_DENSE,
  finalClasses,
  GROUP,
  GROUP_BYTES,
  newTileState,
} from '../tile.js';
import { scatterMagnitudes } from './magnitudes.js';
import { ageDense, countPlane, freshBits } from './tileState.js';
import { numbersOf } from './weights.js';

/** Goes once through the planes of tiles as an encoder does, to count. */
export function countTiles(
  tiles: readonly TileWeights[],
  plan: TilePlan,
  selections: boolean,
  marks: boolean,
): TileCounts {
  const { depth } = plan;
  const counted = selections ? depth : 0;
  const all = {
    symbols: new Uint32Array(2 * SYMBOL_COUNTS * counted),
    costs: new Uint32Array(2 * counted),
    fixed: Array.from({ length: selections ? depth : 1 }, () => new Uint32Array(FIXED_SYMBOL_COUNTS)),
    nonzero: new Uint32Array(marks ? SYMBOL_COUNTS : 0),
  };
  for (const tile of tiles) countTile(tile, plan, selections, all);
  return all;
}

function countTile(
  tile: TileWeights,
  { scale, depth, dense, codedDense }: TilePlan,
  selections: boolean,
  { symbols, costs, fixed, nonzero }: TileCounts,
): void {
  const patterns = sortedPatterns(tile);
  const { planes, signs } = split(numbersOf(patterns, tile.layout), scale, depth);
  const state = newTileState(tile.patterns.length, tile.scales, signs);
  planes.forEach((plane, j) => {
    const level = depth - 1 - j;
    if (selections) {
      const classes = contextsOf(state, { fixed: undefined, level });
      costs[2 * j]! += classes.filter((kind) => kind === CLASSES).length;
      costs[2 * j + 1]! += state.counts.reduce(
        (sum, count, g) => sum + (state.dense[g] === 0 ? count : 0),
        0,
      );
      const counted = symbols.subarray(2 * SYMBOL_COUNTS * j, 2 * SYMBOL_COUNTS * (j + 1));
      countSymbols(plane, classes, counted.subarray(0, SYMBOL_COUNTS));
      countSymbols(freshBits(state, plane), classes, counted.subarray(SYMBOL_COUNTS));
    }
    const contexts = contextsOf(state, { fixed: NOTHING_REPLACED, level });
    countFixedSymbols(plane, contexts, fixed[selections ? j : 0]!);
    countPlane(state, plane);
    ageDense(state, codedDense);
    markDense(state, dense, level);
  });
  if (nonzero.length === 0) return;
  countSymbols(nonzeroBitmap(tile.layout, scale, patterns), finalClasses(state), nonzero);
}

const NOTHING_REPLACED = new Uint16Array(0);

interface SplitTile {
  /** |x| in steps of the lowest plane, and the same rounded down. */
  readonly xs: Float64Array;
  readonly magnitudes: Int32Array;
  readonly planes: readonly Uint8Array[];
  readonly signs: Uint8Array;
}

export function split(values: Float32Array, scale: number, depth: number): SplitTile {
  const xs = new Float64Array(values.length);
  const magnitudes = new Int32Array(values.length);
  const signs = new Uint8Array(GROUP_BYTES * Math.ceil(values.length / GROUP));
  const factor = 2 ** -scale;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const x = Math.abs(value) * factor;
    xs[i] = x;
    magnitudes[i] = x;
    if (value < 0 || Object.is(value, -0)) signs[i >> 3]! |= 1 << (i & 7);
  }
  const planes = Array.from({ length: depth }, () => new Uint8Array(signs.length));
  scatterMagnitudes(magnitudes, planes);
  return { xs, magnitudes, planes, signs };
}

/** The sums of each plane. */
export function measureTile(
  { xs, magnitudes }: Pick<SplitTile, 'xs' | 'magnitudes'>,
  depth: number,
  denseFrom: Uint8Array,
): Float64Array {
  const sums = new Float64Array(SUMS * depth);
  for (let j = 0; j < depth; j++) {
    measure(xs, magnitudes, j, depth - 1 - j, denseFrom, sums.subarray(SUMS * j, SUMS * (j + 1)));
  }
  return sums;
}

function markDense({ counts, dense, scales }: TileState, rule: DenseRule, level: number): void {
  for (let group = 0; group < dense.length; group++) {
    if (dense[group] === 0 && becomesDense(rule, counts[group]!, scales[group]!, level)) {
      dense[group] = FIRST_DENSE;
    }
  }
}

function measure(
  xs: Float64Array,
  magnitudes: Int32Array,
  plane: number,
  shift: number,
  denseFrom: Uint8Array,
  sums: Float64Array,
): void {
  const step = 2 ** -shift;
  for (let group = 0; group < denseFrom.length; group++) {
    const start = GROUP * group;
    const end = Math.min(xs.length, start + GROUP);
    let count = 0;
    let [sumQ, sumQQ, sumR, sumRR, zeroR, zeroRR] = [0, 0, 0, 0, 0, 0];
    for (let i = start; i < end; i++) {
      const q = magnitudes[i]! >> shift;
      const r = xs[i]! * step - q;
      if (q === 0) {
        zeroR += r;
        zeroRR += r * r;
      } else {
        count += 1;
        sumQ += q;
        sumQQ += q * q;
        sumR += r;
        sumRR += r * r;
      }
    }
    sums[SUM_Q]! += sumQ;
    sums[SUM_Q_Q]! += sumQQ;
    add(sums, SIGNIFICANT, count, sumR, sumRR);
    const from = denseFrom[group]!;
    const zeros = plane < from ? UNKNOWN : plane === from ? FRESH_ZERO : ZERO;
    add(sums, zeros, end - start - count, zeroR, zeroRR);
  }
}

function add(sums: Float64Array, at: number, count: number, sumR: number, sumRR: number): void {
  sums[at + COUNT]! += count;
  sums[at + SUM_R]! += sumR;
  sums[at + SUM_R_R]! += sumRR;
}
