import type { FloatLayout, TileWeights } from './interface.js';
import { meanLengths } from './meanLengths.js';
import { anyCode, nonzeroCode, POPULATION, type PrefixCode, SELECTABLE_CODES } from './prefixCodes.js';
import { CLASSES, GROUP, GROUP_BYTES } from './tile.js';

/** The statistics of a tile that an encoder collects before it codes it, and its choice of codes. */

/**
 * Sums of a plane, in the order of `TileSurvey.sums`. Q is |x| by the planes so far, rounded down, in steps of this
 * plane, and R the rest of it, in [0, 1). Errors from sums of R are exact even where they are small.
 */
export const SUMS = 14;
/** Σ Q and Σ Q², then three sums over weights with Q > 0… */
export const SUM_Q = 0;
export const SUM_Q_Q = 1;
export const SIGNIFICANT = 2;
/** …over those with Q = 0 in groups that were dense before this plane; in those that are since; in the others. */
export const ZERO = 5;
export const FRESH_ZERO = 8;
export const UNKNOWN = 11;
/** The three: number of weights, Σ R, Σ R². */
export const COUNT = 0;
export const SUM_R = 1;
export const SUM_R_R = 2;

/**
 * Symbols of a bitmap, counted by their set bits, on which alone the lengths of codes depend: batches, then the masks
 * of each class, then the bytes of each class; nine counts of each.
 */
export type SymbolCounts = Uint32Array;

const POPULATIONS = 9;
export const SYMBOL_COUNTS: number = POPULATIONS * (1 + 2 * CLASSES);

function masksOf(counts: SymbolCounts, kind: number): Uint32Array {
  return counts.subarray(POPULATIONS * (1 + kind), POPULATIONS * (2 + kind));
}

function bytesOf(counts: SymbolCounts, kind: number): Uint32Array {
  return counts.subarray(POPULATIONS * (1 + CLASSES + kind), POPULATIONS * (2 + CLASSES + kind));
}

/** Adds the symbols of a tile's bitmap; groups whose classes are above those of the format are not coded. */
export function countSymbols(bitmap: Uint8Array, classes: Uint8Array, counts: SymbolCounts): void {
  let batchLeft = 0;
  for (let group = 0; group < classes.length; group++) {
    const kind = classes[group]!;
    if (kind >= CLASSES) continue;
    const mask = byteMask(bitmap, group);
    if (kind === 0) {
      if (batchLeft === 0) {
        counts[POPULATION[batchMask(bitmap, classes.length, (other) => classes[other] === 0, group)]!]! += 1;
        batchLeft = 8;
      }
      batchLeft -= 1;
      if (mask === 0) continue;
    }
    counts[POPULATIONS * (1 + kind) + POPULATION[mask]!]! += 1;
    const bytes = POPULATIONS * (1 + CLASSES + kind);
    for (let i = 0; i < GROUP_BYTES; i++) {
      counts[bytes + POPULATION[bitmap[group * GROUP_BYTES + i]!]!]! += 1;
    }
  }
}

/**
 * The cheapest selection, as in the stream, and its size in bits; empty when nothing is coded.
 * @param least classes that it serves, whether they have been counted or not; default none
 */
export function chooseCodes(counts: SymbolCounts, least = 0): { selection: Uint8Array; cost: number } {
  let classes = CLASSES;
  while (classes > least && sum(masksOf(counts, classes - 1)) === 0) classes -= 1;
  const batches = counts.subarray(0, POPULATIONS);
  if (classes === 0 && sum(batches) === 0) return { selection: new Uint8Array(0), cost: 0 };
  const batch = cheapest(anyCode, batches);
  const selection = new Uint8Array(Math.max(1, classes) + 1);
  let cost = batch.cost;
  for (let kind = 0; kind < selection.length - 1; kind++) {
    const mask = cheapest(kind === 0 ? nonzeroCode : anyCode, masksOf(counts, kind));
    const bytes = bytesOf(counts, kind);
    // A byte of 0 is not coded, because its mask marks it.
    const byte = cheapest(nonzeroCode, bytes.with(0, 0));
    const raw = 8 * sum(bytes);
    const plain = mask.cost + byte.cost >= raw;
    cost += plain ? raw : mask.cost + byte.cost;
    if (kind === 0) {
      selection[0] = batch.index | (mask.index << 4);
      selection[1] = plain ? 0xff : byte.index;
    } else selection[kind + 1] = plain ? 0xff : mask.index | (byte.index << 4);
  }
  return { selection, cost };
}

function sum(counts: Uint32Array): number {
  return counts.reduce((total, count) => total + count, 0);
}

function cheapest(
  codes: (index: number) => PrefixCode,
  counts: Uint32Array,
): { index: number; cost: number } {
  let best = { index: 0, cost: Number.POSITIVE_INFINITY };
  for (let index = 0; index < SELECTABLE_CODES; index++) {
    const lengths = meanLengths(codes(index));
    let cost = 0;
    for (let k = 0; k < counts.length; k++) cost += counts[k]! * lengths[k]!;
    if (cost < best.cost) best = { index, cost };
  }
  return best;
}

/** The elements of a tile in its order, or those from one place to before another. */
export function sortedPatterns(
  { patterns, parts }: Pick<TileWeights, 'patterns' | 'parts'>,
  from = 0,
  to: number = patterns.length,
): Patterns {
  if (parts === undefined) return patterns.subarray(from, to);
  const sorted = patterns.slice(from, to);
  let place = -from;
  for (const { first, columns } of parts) {
    const end = Math.min(columns.length, sorted.length - place);
    for (let i = Math.max(0, -place); i < end; i++) sorted[place + i] = patterns[first + columns[i]!]!;
    place += columns.length;
  }
  return sorted;
}

type Patterns = TileWeights['patterns'];

/** The weights that have no bit in any plane and are not zero. */
export function nonzeroBitmap(layout: FloatLayout, scale: number, patterns: Patterns): Uint8Array {
  const bitmap = new Uint8Array(GROUP_BYTES * Math.ceil(patterns.length / GROUP));
  const positive = 2 ** (layout.mantissaBits + layout.exponentBits) - 1;
  const lowest = scale + layout.bias;
  const { length } = patterns;
  for (let i = 0; i < length; i++) {
    const pattern = patterns[i]!;
    if ((pattern & positive) !== 0 && exponentOf(pattern, layout) < lowest) bitmap[i >> 3]! |= 1 << (i & 7);
  }
  return bitmap;
}

/** The exponent field. */
export function exponentOf(pattern: number, { mantissaBits, exponentBits }: FloatLayout): number {
  return (pattern >>> mantissaBits) & ((1 << exponentBits) - 1);
}

/** The mask of the bytes of a group that are not 0. */
export function byteMask(bitmap: Uint8Array, group: number): number {
  let mask = 0;
  for (let i = 0; i < GROUP_BYTES; i++) if (bitmap[group * GROUP_BYTES + i] !== 0) mask |= 1 << i;
  return mask;
}

/** The mask of those of the eight groups from `group` on that are batched, which are not empty. */
export function batchMask(
  bitmap: Uint8Array,
  groups: number,
  isBatched: (group: number) => boolean,
  group: number,
): number {
  let mask = 0;
  for (let bit = 1, at = group; bit < 256 && at < groups; at++) {
    if (!isBatched(at)) continue;
    if (byteMask(bitmap, at) !== 0) mask |= bit;
    bit <<= 1;
  }
  return mask;
}
