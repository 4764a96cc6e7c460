// Encoding the embedded encoding; `../portable` does the same, and says why.
import { countSymbols, encodeBitmap, fixedBits, findContexts } from './encodeBitmap';
import { extractGroup, pack } from './entries';
import { weightsOf } from '../../runtime/assembly/groups';

export { measure } from './measure';
export { measureShort } from './measureShort';
export { encodeRemainder } from './remainder';
export { scatter } from './scatter';
export { scatterShort } from './scatterShort';
export { sortLong, sortShort } from './sort';
export { surveyRows, widenShort } from './widen';

/** Bytes of the symbols of a plane; those that are counted with bits kept apart are behind the others. */
const SYMBOLS_BYTES: usize = 756;

/** What the survey of a plane needs beside the tile: u32 addresses, as the caller lays them out. */
const SCALES: usize = 0;
const CONTEXTS: usize = 4;
/** The rule of contexts with a selection; the addresses of those with fixed codes, one for each plane. */
const SELECTED_RULE: usize = 8;
const FIXED_RULES: usize = 12;
const FIXED_CODES: usize = 16;
/**
 * Three u32 for each plane: the bits of its bitmap by fixed codes, the groups that are dense since the plane before, the
 * weights that are significant before it.
 */
const COSTS: usize = 20;
const COSTS_BYTES: usize = 12;
/** The scale of a group over the threshold of a plane that makes it dense; how its state goes on from plane to plane. */
const DENSE_RATIO: usize = 24;
const DENSE_SHIFT: usize = 28;

/** In `dense`: the plane is stored. */
const LATER_DENSE: u32 = 4;

/**
 * Goes once through the planes of a tile as an encoder does, to count. `significant`, `counts`, `dense` begin as zeros, and
 * so do `symbols`.
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
  apart: bool,
  symbols: usize,
  more: usize,
): void {
  const scales = <usize>load<u32>(more, SCALES);
  const contexts = <usize>load<u32>(more, CONTEXTS);
  const selectedRule = <usize>load<u32>(more, SELECTED_RULE);
  let fixedRules = <usize>load<u32>(more, FIXED_RULES);
  const fixedCodes = <usize>load<u32>(more, FIXED_CODES);
  let costs = <usize>load<u32>(more, COSTS);
  const ratio = load<i32>(more, DENSE_RATIO);
  const denseShift = load<u32>(more, DENSE_SHIFT);
  const groups = (weights + 63) >> 6;
  let before: u32 = 0;
  for (let j: u32 = 0, plane = planes; j < depth; j++, plane += stride, symbols += 2 * SYMBOLS_BYTES) {
    findContexts(groups, counts, dense, scales, selectedRule, contexts);
    store<u32>(costs, countSymbols(plane, 0, groups, contexts, symbols), 4);
    if (apart) countSymbols(plane, significant, groups, contexts, symbols + SYMBOLS_BYTES);
    findContexts(groups, counts, dense, scales, <usize>load<u32>(fixedRules), contexts);
    store<u32>(costs, fixedBits(plane, groups, contexts, fixedCodes));
    store<u32>(costs, before, 8);
    fixedRules += 4;
    costs += COSTS_BYTES;
    before = 0;
    const leastScale = ratio + <i32>(4 * (depth - 1 - j));
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
      else before += count;
    }
  }
}

/** A plane of a tile to `out`; returns its bytes. `list` has room for 16 entries a group. */
export function encodePlane(
  plane: usize,
  groups: u32,
  significant: usize,
  signs: usize,
  counts: usize,
  dense: usize,
  scales: usize,
  rule: usize,
  contexts: usize,
  codes: usize,
  apart: bool,
  denseShift: u32,
  extracts: usize,
  list: usize,
  out: usize,
): usize {
  const start = out;
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) != LATER_DENSE) continue;
    store<u64>(out, load<u64>(plane + (group << 3)));
    out += 8;
  }
  if (out - start == <usize>groups << 3) return out - start;
  findContexts(groups, counts, dense, scales, rule, contexts);
  let end = encodeBitmap(plane, apart ? significant : 0, groups, contexts, codes, list);
  if (apart) {
    for (let group: u32 = 0; group < groups; group++) {
      if (load<u8>(dense + group) != 0) continue;
      const at = group << 3;
      end = extractGroup(load<u64>(plane + at), load<u64>(significant + at), extracts, end);
    }
  }
  for (let group: u32 = 0; group < groups; group++) {
    const state = <u32>load<u8>(dense + group);
    if (state != 0) {
      store<u8>(dense + group, min(state << denseShift, LATER_DENSE));
      continue;
    }
    const at = group << 3;
    const known = load<u64>(significant + at);
    const fresh = load<u64>(plane + at) & ~known;
    if (fresh == 0) continue;
    end = extractGroup(load<u64>(signs + at), fresh, extracts, end);
    store<u64>(significant + at, known | fresh);
    store<u8>(counts + group, <u8>(load<u8>(counts + group) + <u32>popcnt(fresh)));
  }
  return out - start + ((pack<u32>(list, end, out, 0) + 7) >> 3);
}

/** Signs of the groups that plane `j` makes dense; `list` has room for 3 entries a group. */
export function encodeSigns(
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
  out: usize,
): usize {
  let end = list;
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) != 0) continue;
    if (load<u8>(counts + group) < threshold && <i32>load<u8>(scales + group) < leastScale) continue;
    store<u8>(dense + group, 1);
    store<u8>(denseFrom + group, <u8>j);
    const at = group << 3;
    const unknown = weightsOf(group, weights) & ~load<u64>(significant + at);
    end = extractGroup(load<u64>(signs + at), unknown, extracts, end);
  }
  return (pack<u32>(list, end, out, 0) + 7) >> 3;
}
