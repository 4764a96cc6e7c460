// Encoding the embedded encoding; `../portable` does the same, and says why.
import { countSymbols, encodeBitmap, findContexts } from './encodeBitmap';
import { extractGroup, pack } from './entries';
import { measure } from './measure';
import { scatter } from './scatter';
import { weightsOf } from '../../runtime/assembly/groups';

export { encodeRemainder } from './remainder';
export { scatter };

/** Bytes of the symbols of a plane; those that are counted with bits kept apart are behind the others. */
const SYMBOLS_BYTES: usize = 756;

/** What the survey of a plane needs beside the tile: u32 addresses, as the caller lays them out. */
const SCALES: usize = 0;
const CONTEXTS: usize = 4;
/** The rule of contexts with a selection; the addresses of those with fixed codes, one for each plane. */
const SELECTED_RULE: usize = 8;
const FIXED_RULES: usize = 12;
const FIXED_CODES: usize = 16;
const LIST: usize = 20;
/** Two u32 for each plane: the bits of its bitmap by fixed codes, the groups that are dense since the plane before. */
const COSTS: usize = 24;

/**
 * Goes once through the planes of a tile as an encoder does, to count and to measure. `significant`, `counts`, `dense`
 * begin as zeros, and so do `sums` and `symbols`. Returns a bit for each plane that signs must follow.
 */
export function surveyPlanes(
  numbers: usize,
  weights: u32,
  depth: u32,
  threshold: u32,
  planes: usize,
  stride: usize,
  significant: usize,
  counts: usize,
  dense: usize,
  denseFrom: usize,
  apart: bool,
  sums: usize,
  symbols: usize,
  more: usize,
): u32 {
  const scales = <usize>load<u32>(more, SCALES);
  const contexts = <usize>load<u32>(more, CONTEXTS);
  const selectedRule = <usize>load<u32>(more, SELECTED_RULE);
  let fixedRules = <usize>load<u32>(more, FIXED_RULES);
  const fixedCodes = <usize>load<u32>(more, FIXED_CODES);
  const list = <usize>load<u32>(more, LIST);
  let costs = <usize>load<u32>(more, COSTS);
  const groups = (weights + 63) >> 6;
  let signPlanes: u32 = 0;
  memory.fill(denseFrom, 0xff, groups);
  for (let j: u32 = 0, plane = planes; j < depth; j++, plane += stride, symbols += 2 * SYMBOLS_BYTES) {
    findContexts(groups, counts, dense, scales, selectedRule, contexts);
    store<u32>(costs, countSymbols(plane, 0, groups, contexts, symbols), 4);
    if (apart) countSymbols(plane, significant, groups, contexts, symbols + SYMBOLS_BYTES);
    findContexts(groups, counts, dense, scales, <usize>load<u32>(fixedRules), contexts);
    store<u32>(costs, bitsOf(list, encodeBitmap(plane, 0, groups, contexts, fixedCodes, list)));
    fixedRules += 4;
    costs += 8;
    for (let group: u32 = 0; group < groups; group++) {
      const state = <u32>load<u8>(dense + group);
      if (state != 0) {
        store<u8>(dense + group, 2);
        continue;
      }
      const at = group << 3;
      const seen = load<u64>(significant + at) | load<u64>(plane + at);
      store<u64>(significant + at, seen);
      const count = <u32>popcnt(seen);
      store<u8>(counts + group, <u8>count);
      if (count < threshold) continue;
      store<u8>(dense + group, 1);
      store<u8>(denseFrom + group, <u8>j);
      signPlanes |= 1 << j;
    }
  }
  measure(numbers, weights, depth, planes, stride, denseFrom, sums);
  return signPlanes;
}

// @ts-ignore: decorator
@inline
function bitsOf(list: usize, end: usize): u32 {
  let bits: u32 = 0;
  for (; list < end; list += 4) bits += load<u8>(list, 3);
  return bits;
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
  extracts: usize,
  list: usize,
  out: usize,
): usize {
  const start = out;
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) != 2) continue;
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
    if (load<u8>(dense + group) != 0) {
      store<u8>(dense + group, 2);
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

/** Signs of the groups that become dense; `list` has room for 3 entries a group. */
export function encodeSigns(
  weights: u32,
  groups: u32,
  threshold: u32,
  significant: usize,
  signs: usize,
  counts: usize,
  dense: usize,
  extracts: usize,
  list: usize,
  out: usize,
): usize {
  let end = list;
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) != 0 || load<u8>(counts + group) < threshold) continue;
    store<u8>(dense + group, 1);
    const at = group << 3;
    const unknown = weightsOf(group, weights) & ~load<u64>(significant + at);
    end = extractGroup(load<u64>(signs + at), unknown, extracts, end);
  }
  return (pack<u32>(list, end, out, 0) + 7) >> 3;
}
