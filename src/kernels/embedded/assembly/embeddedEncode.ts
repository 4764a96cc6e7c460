// Encoding the embedded encoding; `../portable` does the same, and says why.
import { contextOf } from './contexts';
import { addToBatch, BEGINS_BATCH, countFixed, countSymbols, encodeBitmap, findContexts } from './encodeBitmap';
import { extract } from './entries';
import { weightsOf } from '../../runtime/assembly/groups';

export { groupChanges } from './groupChanges';
export { measure } from './measure';
export { measureShort } from './measureShort';
export { countNonzero, encodeRemainder } from './remainder';
export { scatter } from './scatter';
export { scatterShort } from './scatterShort';
export { sortLong, sortShort } from './sort';
export { surveyShort } from './surveyShort';
export { surveyRows, widenShort } from './widen';

/** Bytes of the symbols of a plane; those that are counted with bits kept apart are behind the others. */
const SYMBOLS_BYTES: usize = 756;

/** What the survey of a plane needs beside the tile: u32 addresses, as the caller lays them out. */
const SCALES: usize = 0;
const CONTEXTS: usize = 4;
/** The rule of contexts with a selection, or 0: its symbols are not wanted. The addresses of those with fixed codes, one for each plane. */
const SELECTED_RULE: usize = 8;
const FIXED_RULES: usize = 12;
/** Symbols of fixed codes, and from those of a plane to those of the next one. */
const FIXED_SYMBOLS: usize = 16;
const FIXED_STRIDE: usize = 20;
/** To two u32 for each plane are added: the groups that are dense since the plane before, the weights that are significant before it. */
const COSTS: usize = 24;
const COSTS_BYTES: usize = 8;
/** The scale of a group over the threshold of a plane that makes it dense; how its state goes on from plane to plane. */
const DENSE_RATIO: usize = 28;
const DENSE_SHIFT: usize = 32;

/** In `dense`: the plane is stored. */
const LATER_DENSE: u32 = 4;

/**
 * Goes once through the planes of a tile as an encoder does, to count. `significant`, `counts`, `dense` begin as zeros; to
 * `symbols` those of the tile are added.
 */
export function countPlanes(
  weights: u32,
  depth: u32,
  threshold: u32,
  planes: usize,
  stride: usize,
  significant: usize,
  counts: usize,
  dense: usize,
  symbols: usize,
  more: usize,
): void {
  const scales = <usize>load<u32>(more, SCALES);
  const contexts = <usize>load<u32>(more, CONTEXTS);
  const selectedRule = <usize>load<u32>(more, SELECTED_RULE);
  let fixedRules = <usize>load<u32>(more, FIXED_RULES);
  let fixedSymbols = <usize>load<u32>(more, FIXED_SYMBOLS);
  const fixedStride = <usize>load<u32>(more, FIXED_STRIDE);
  let costs = <usize>load<u32>(more, COSTS);
  const ratio = load<i32>(more, DENSE_RATIO);
  const denseShift = load<u32>(more, DENSE_SHIFT);
  const groups = (weights + 63) >> 6;
  let before: u32 = 0;
  for (let j: u32 = 0, plane = planes; j < depth; j++, plane += stride, symbols += 2 * SYMBOLS_BYTES) {
    if (selectedRule != 0) {
      findContexts(groups, counts, dense, scales, selectedRule, contexts);
      const firstDense = countSymbols(plane, 0, groups, contexts, symbols);
      countSymbols(plane, significant, groups, contexts, symbols + SYMBOLS_BYTES);
      store<u32>(costs, load<u32>(costs) + firstDense);
      store<u32>(costs, load<u32>(costs, 4) + before, 4);
      costs += COSTS_BYTES;
    }
    findContexts(groups, counts, dense, scales, <usize>load<u32>(fixedRules), contexts);
    countFixed(plane, groups, contexts, fixedSymbols);
    fixedRules += 4;
    fixedSymbols += fixedStride;
    before = passOver(plane, groups, significant, counts, dense, scales, threshold, ratio + <i32>(4 * (depth - 1 - j)), denseShift);
  }
}

/** How a plane is coded, u32, as the caller lays it out: the addresses of its rule of contexts and of its codes. */
const RULE: usize = 0;
const CODES: usize = 4;
/** Bits of significant weights are apart; the scale of a group that makes it dense, i32. */
const IS_APART: usize = 8;
const LEAST_SCALE: usize = 12;
const CODING_BYTES: usize = 16;

/**
 * The planes of a tile to `out`; returns its bytes. `significant`, `counts`, `dense` begin as zeros.
 * @param first planes above it are passed over, and not written
 * @param list room for a u32 a group, and one more
 * @param masks room for a u64 a group, and one more
 * @param batches room for a bit a group, and a byte more
 * @param lengths of the units, u32: of each plane its bits and the signs that follow it
 */
export function encodePlanes(
  weights: u32,
  depth: u32,
  first: u32,
  planes: usize,
  stride: usize,
  signs: usize,
  significant: usize,
  counts: usize,
  dense: usize,
  scales: usize,
  denseFrom: usize,
  threshold: u32,
  denseShift: u32,
  codings: usize,
  extracts: usize,
  list: usize,
  masks: usize,
  batches: usize,
  lengths: usize,
  out: usize,
): usize {
  const groups = (weights + 63) >> 6;
  const start = out;
  for (let j: u32 = 0, plane = planes; j < depth; j++, plane += stride, codings += CODING_BYTES, lengths += 8) {
    const leastScale = load<i32>(codings, LEAST_SCALE);
    let bits: usize = 0;
    let ofSigns: usize = 0;
    if (j < first) {
      passOver(plane, groups, significant, counts, dense, scales, threshold, leastScale, denseShift);
    } else {
      bits = encodePlane(
        plane,
        groups,
        significant,
        signs,
        counts,
        dense,
        scales,
        load<u32>(codings, RULE),
        batches,
        load<u32>(codings, CODES),
        load<u32>(codings, IS_APART) != 0,
        denseShift,
        extracts,
        list,
        masks,
        out,
      );
      out += bits;
      ofSigns = encodeSigns(
        weights,
        groups,
        threshold,
        leastScale,
        significant,
        signs,
        counts,
        dense,
        scales,
        denseFrom,
        j,
        extracts,
        list,
        masks,
        out,
      );
      out += ofSigns;
    }
    store<u32>(lengths, bits);
    store<u32>(lengths, ofSigns, 4);
  }
  return out - start;
}

/** What a plane, and the signs behind it, make of the state of a tile; returns the weights that are significant in groups that are not dense. */
function passOver(
  plane: usize,
  groups: u32,
  significant: usize,
  counts: usize,
  dense: usize,
  scales: usize,
  threshold: u32,
  leastScale: i32,
  denseShift: u32,
): u32 {
  let known: u32 = 0;
  for (let group: u32 = 0; group < groups; group++) {
    const state = <u32>load<u8>(dense + group);
    if (state != 0) {
      store<u8>(dense + group, min(state << denseShift, LATER_DENSE));
      continue;
    }
    const at = group << 3;
    const seen = load<u64>(significant + at) | load<u64>(plane + at);
    store<u64>(significant + at, seen);
    const count = <u32>popcnt(seen);
    store<u8>(counts + group, <u8>count);
    const becomes = count >= threshold || <i32>load<u8>(scales + group) >= leastScale;
    if (becomes) store<u8>(dense + group, 1);
    else known += count;
  }
  return known;
}

/**
 * A plane of a tile to `out`; returns its bytes. Which groups are dense, and which have new weights, is random: they are listed
 * without branches.
 */
function encodePlane(
  plane: usize,
  groups: u32,
  significant: usize,
  signs: usize,
  counts: usize,
  dense: usize,
  scales: usize,
  rule: usize,
  batches: usize,
  codes: usize,
  apart: bool,
  denseShift: u32,
  extracts: usize,
  list: usize,
  masks: usize,
  out: usize,
): usize {
  const start = out;
  let end = list;
  let inBatch: u32 = 0;
  let batch: u32 = 0;
  for (let first: u32 = 0; first < groups; first += 16) {
    const own = min(groups - first, 16);
    const words = plane + (first << 3);
    if (own == 16) {
      const states = v128.load(dense + first);
      if (i8x16.all_true(i8x16.eq(states, i8x16.splat(<i8>LATER_DENSE)))) {
        memory.copy(out, words, 128);
        out += 128;
        continue;
      }
      if (!v128.any_true(v128.or(states, v128.load(counts + first))) && areZeros(words)) {
        // Two batches begin among them.
        for (let group = first + (-inBatch & 7); group < first + 16; group += 8) {
          store<u32>(end, group | (contextOf(rule, 0, 0, load<u8>(scales + group)) << 16) | BEGINS_BATCH);
          end += 4;
        }
        batch &= (1 << (inBatch & 7)) - 1;
        store<u8>(batches + (inBatch >> 3), batch);
        store<u16>(batches + (inBatch >> 3), 0, 1);
        inBatch += 16;
        batch = 0;
        continue;
      }
    }
    for (let group = first; group < first + own; group++) {
      const state = <u32>load<u8>(dense + group);
      const count = <u32>load<u8>(counts + group);
      const word = load<u64>(plane + (group << 3));
      const coded = u32(state != LATER_DENSE);
      store<u64>(out, word);
      out += <usize>(coded ^ 1) << 3;
      const isIn = u32((state | count) == 0);
      const begins = isIn & u32((inBatch & 7) == 0);
      const context = contextOf(rule, count, state, load<u8>(scales + group));
      store<u32>(end, group | (context << 16) | (begins << 31));
      // Of an empty group in a batch, nothing is written but the batch.
      end += <usize>(coded & ((isIn ^ 1) | begins | u32(word != 0))) << 2;
      batch = addToBatch(batches, batch, inBatch, isIn, word);
      inBatch += isIn;
    }
  }
  if (end == list) return out - start;
  let position = encodeBitmap(plane, apart ? significant : 0, list, end, batches, codes, out, 0);
  if (apart) {
    let mask = masks;
    for (let from = list; from < end; from += 4, mask += 8) {
      const group = load<u32>(from) & 0xffff;
      store<u32>(from, group);
      store<u64>(mask, load<u64>(significant + (group << 3)) & -<u64>(load<u8>(dense + group) == 0));
    }
    position = extract(plane, list, end, masks, extracts, out, position);
  }
  let fresh = list;
  let mask = masks;
  for (let from = list; from < end; from += 4) {
    const group = load<u32>(from) & 0xffff;
    const state = <u32>load<u8>(dense + group);
    store<u8>(dense + group, state << denseShift);
    const at = group << 3;
    const known = load<u64>(significant + at);
    const bits = load<u64>(plane + at) & ~known & -<u64>(state == 0);
    store<u64>(significant + at, known | bits);
    store<u8>(counts + group, <u8>(load<u8>(counts + group) + <u32>popcnt(bits)));
    store<u32>(fresh, group);
    store<u64>(mask, bits);
    const listed = <usize>u32(bits != 0) << 2;
    fresh += listed;
    mask += listed << 1;
  }
  position = extract(signs, list, fresh, masks, extracts, out, position);
  return out - start + ((position + 7) >> 3);
}

/** Whether sixteen groups have no bit. */
// @ts-ignore: decorator
@inline
function areZeros(words: usize): bool {
  const first = v128.or(v128.or(v128.load(words), v128.load(words, 16)), v128.or(v128.load(words, 32), v128.load(words, 48)));
  const second = v128.or(v128.or(v128.load(words, 64), v128.load(words, 80)), v128.or(v128.load(words, 96), v128.load(words, 112)));
  return !v128.any_true(v128.or(first, second));
}

/**
 * Signs of the groups that plane `j` makes dense. Of `counts`, `dense`, `scales` and `denseFrom`, there
 * are whole sixteens, of which the last are not used.
 */
function encodeSigns(
  weights: u32,
  groups: u32,
  threshold: u32,
  leastScale: i32,
  significant: usize,
  signs: usize,
  counts: usize,
  dense: usize,
  scales: usize,
  denseFrom: usize,
  j: u32,
  extracts: usize,
  list: usize,
  masks: usize,
  out: usize,
): usize {
  const leastCounts = i8x16.splat(<i8>threshold);
  const leastScales = i8x16.splat(<i8>max(leastScale, 0));
  // No scale is more than 255.
  const noScales = i8x16.splat(leastScale > 255 ? 0 : -1);
  let end = list;
  let mask = masks;
  for (let first: u32 = 0; first < groups; first += 16) {
    const states = v128.load(dense + first);
    const ofCounts = i8x16.ge_u(v128.load(counts + first), leastCounts);
    const ofScales = v128.and(i8x16.ge_u(v128.load(scales + first), leastScales), noScales);
    const become = v128.and(v128.or(ofCounts, ofScales), i8x16.eq(states, i8x16.splat(0)));
    if (!v128.any_true(become)) continue;
    v128.store(dense + first, v128.or(states, v128.and(become, i8x16.splat(1))));
    const since = v128.load(denseFrom + first);
    v128.store(denseFrom + first, v128.bitselect(i8x16.splat(<i8>j), since, become));
    const own = groups - first < 16 ? (1 << (groups - first)) - 1 : 0xffff;
    for (let rest = <u32>i8x16.bitmask(become) & own; rest != 0; rest &= rest - 1) {
      const group = first + ctz(rest);
      store<u32>(end, group);
      store<u64>(mask, ~load<u64>(significant + (group << 3)) & weightsOf(group, weights));
      end += 4;
      mask += 8;
    }
  }
  return (extract(signs, list, end, masks, extracts, out, 0) + 7) >> 3;
}
