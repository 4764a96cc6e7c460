// Encoding the embedded encoding; `../portable` does the same, and says why.
import { countSymbols, encodeBitmap } from './encodeBitmap';
import { extractGroup, pack } from './entries';
import { measure } from './measure';
import { scatter } from './scatter';
import { weightsOf } from '../../runtime/assembly/groups';

export { encodeRemainder } from './remainder';
export { scatter };

/** Bytes of the symbols of a plane; those that are counted with bits kept apart are behind the others. */
const SYMBOLS_BYTES: usize = 756;

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
): u32 {
  const groups = (weights + 63) >> 6;
  let signPlanes: u32 = 0;
  memory.fill(denseFrom, 0xff, groups);
  for (let j: u32 = 0, plane = planes; j < depth; j++, plane += stride, symbols += 2 * SYMBOLS_BYTES) {
    countSymbols(plane, 0, groups, counts, dense, symbols);
    if (apart) countSymbols(plane, significant, groups, counts, dense, symbols + SYMBOLS_BYTES);
    for (let group: u32 = 0; group < groups; group++) {
      if (load<u8>(dense + group) != 0) continue;
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

/** A plane of a tile to `out`; returns its bytes. `list` has room for 16 entries a group. */
export function encodePlane(
  plane: usize,
  groups: u32,
  significant: usize,
  signs: usize,
  counts: usize,
  dense: usize,
  codes: usize,
  apart: bool,
  extracts: usize,
  list: usize,
  out: usize,
): usize {
  const start = out;
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) == 0) continue;
    store<u64>(out, load<u64>(plane + (group << 3)));
    out += 8;
  }
  if (out - start == <usize>groups << 3) return out - start;
  let end = encodeBitmap(plane, apart ? significant : 0, groups, counts, dense, codes, list);
  if (apart) {
    for (let group: u32 = 0; group < groups; group++) {
      if (load<u8>(dense + group) != 0) continue;
      const at = group << 3;
      end = extractGroup(load<u64>(plane + at), load<u64>(significant + at), extracts, end);
    }
  }
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) != 0) continue;
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
