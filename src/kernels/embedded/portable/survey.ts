import { codesOf, contextsOf } from '../contexts.js';
import type { TilePlan, TileState, TileSurvey } from '../interface.js';
import {
  COUNT,
  countSymbols,
  FRESH_ZERO,
  SIGNIFICANT,
  SUM_Q,
  SUM_Q_Q,
  SUM_R,
  SUM_R_R,
  SUMS,
  SYMBOL_COUNTS,
  UNKNOWN,
  ZERO,
} from '../survey.js';
import { CLASSES, FIRST_DENSE, GROUP, GROUP_BYTES, newTileState } from '../tile.js';
import { encodeBitmap } from './bitmapCode.js';
import { BitWriter } from './bits.js';
import { scatterMagnitudes } from './magnitudes.js';
import { ageDense, countPlane, freshBits } from './tileState.js';

export function surveyTile(
  values: Float32Array,
  { scale, depth, threshold, apart, scales }: TilePlan,
): TileSurvey {
  const groups = Math.ceil(values.length / GROUP);
  const { xs, magnitudes, signs, energy } = split(values, scale, GROUP_BYTES * groups);
  const planes = Array.from({ length: depth }, () => new Uint8Array(signs.length));
  scatterMagnitudes(magnitudes, planes);
  const sums = new Float64Array(SUMS * depth);
  const symbols = new Uint32Array(2 * SYMBOL_COUNTS * depth);
  const state = newTileState(values.length, scales, signs);
  const costs = new Uint32Array(2 * depth);
  let signPlanes = 0;
  planes.forEach((plane, j) => {
    const level = depth - 1 - j;
    const classes = contextsOf(state, { fixed: false, level });
    const fixedCodes = { selection: new Uint8Array(0), fixed: true, level };
    const writer = new BitWriter();
    encodeBitmap(writer, plane, contextsOf(state, fixedCodes), codesOf(fixedCodes));
    costs[2 * j] = writer.bits;
    costs[2 * j + 1] = classes.filter((kind) => kind === CLASSES).length;
    const counted = symbols.subarray(2 * SYMBOL_COUNTS * j, 2 * SYMBOL_COUNTS * (j + 1));
    countSymbols(plane, classes, counted.subarray(0, SYMBOL_COUNTS));
    if (apart) countSymbols(freshBits(state, plane), classes, counted.subarray(SYMBOL_COUNTS));
    countPlane(state, plane);
    ageDense(state);
    const before = state.dense.slice();
    if (markDense(state, threshold)) signPlanes |= 1 << j;
    const target = sums.subarray(SUMS * j, SUMS * (j + 1));
    measure(xs, magnitudes, level, before, state.dense, target);
  });
  return { planes, signs, energy, sums, symbols, costs, scales, signPlanes };
}

function split(values: Float32Array, scale: number, bitmapBytes: number) {
  const xs = new Float32Array(values.length);
  const magnitudes = new Int32Array(values.length);
  const signs = new Uint8Array(bitmapBytes);
  const factor = 2 ** -scale;
  let energy = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const x = Math.abs(value) * factor;
    xs[i] = x;
    magnitudes[i] = x;
    energy += x * x;
    if (value < 0 || Object.is(value, -0)) signs[i >> 3]! |= 1 << (i & 7);
  }
  return { xs, magnitudes, signs, energy };
}

/** Returns whether it marked a group. */
function markDense({ counts, dense }: TileState, threshold: number): boolean {
  let any = false;
  for (let group = 0; group < dense.length; group++) {
    if (dense[group] !== 0 || counts[group]! < threshold) continue;
    dense[group] = FIRST_DENSE;
    any = true;
  }
  return any;
}

/**
 * @param before groups that were dense before the plane
 * @param after groups that are dense after the plane and its signs
 */
function measure(
  xs: Float32Array,
  magnitudes: Int32Array,
  shift: number,
  before: Uint8Array,
  after: Uint8Array,
  sums: Float64Array,
): void {
  const step = 2 ** -shift;
  for (let group = 0; group < before.length; group++) {
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
    const zeros = after[group] === 0 ? UNKNOWN : before[group] === 0 ? FRESH_ZERO : ZERO;
    add(sums, zeros, end - start - count, zeroR, zeroRR);
  }
}

function add(sums: Float64Array, at: number, count: number, sumR: number, sumRR: number): void {
  sums[at + COUNT]! += count;
  sums[at + SUM_R]! += sumR;
  sums[at + SUM_R_R]! += sumRR;
}
