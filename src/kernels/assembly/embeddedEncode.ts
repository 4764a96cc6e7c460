// Encoding the embedded encoding; `src/kernels/portable/embedded` does the same, and says why.
import { countSymbols, encodeBitmap } from './embeddedEncode/encodeBitmap';
import { entry, extractGroup, pack } from './embeddedEncode/entries';
import { measure } from './embeddedEncode/measure';
import { scatter } from './embeddedEncode/scatter';

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

/** A plane of a tile to `out`; returns its bytes. `list` has room for 26 entries a group. */
export function encodePlane(
  plane: usize,
  groups: u32,
  significant: usize,
  signs: usize,
  counts: usize,
  dense: usize,
  codes: usize,
  apart: bool,
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
      end = extractGroup(load<u64>(plane + at), load<u64>(significant + at), end);
    }
  }
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) != 0) continue;
    const at = group << 3;
    const known = load<u64>(significant + at);
    const fresh = load<u64>(plane + at) & ~known;
    if (fresh == 0) continue;
    end = extractGroup(load<u64>(signs + at), fresh, end);
    store<u64>(significant + at, known | fresh);
    store<u8>(counts + group, <u8>(load<u8>(counts + group) + <u32>popcnt(fresh)));
  }
  return out - start + pack(list, end, out);
}

/** Signs of the groups that become dense; `list` has room for 8 entries a group. */
export function encodeSigns(
  weights: u32,
  groups: u32,
  threshold: u32,
  significant: usize,
  signs: usize,
  counts: usize,
  dense: usize,
  list: usize,
  out: usize,
): usize {
  let end = list;
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) != 0 || load<u8>(counts + group) < threshold) continue;
    store<u8>(dense + group, 1);
    const at = group << 3;
    const left = weights - (group << 6);
    const present: u64 = left >= 64 ? ~(<u64>0) : ((<u64>1) << left) - 1;
    end = extractGroup(load<u64>(signs + at), present & ~load<u64>(significant + at), end);
  }
  return pack(list, end, out);
}

/**
 * The remainder of a tile of floats, as patterns in u32; returns its bytes. `list` has room for 26 entries a group and 4
 * a weight.
 * @param lowest exponent field of weights that are 1 in the lowest plane
 * @param nonzero room for a bitmap, zeroed; 0: zeros are not marked
 * @param small room for a u32 a weight
 */
export function encodeRemainder(
  patterns: usize,
  weights: u32,
  counts: usize,
  dense: usize,
  codes: usize,
  nonzero: usize,
  mantissaBits: u32,
  exponentBits: u32,
  lowest: u32,
  small: usize,
  list: usize,
  out: usize,
): usize {
  const signBit = mantissaBits + exponentBits;
  const positive: u32 = (<u32>1 << signBit) - 1;
  let end = list;
  if (nonzero != 0) {
    for (let i: u32 = 0; i < weights; i++) {
      const magnitude = load<u32>(patterns + (<usize>i << 2)) & positive;
      if (magnitude == 0 || magnitude >> mantissaBits >= lowest) continue;
      const at = nonzero + (i >> 3);
      store<u8>(at, <u8>(<u32>load<u8>(at) | (1 << (i & 7))));
    }
    end = encodeBitmap(nonzero, 0, (weights + 63) >> 6, counts, 0, codes, end);
  }
  // Whether zeros have signs is known when all weights have been seen.
  const flag = end;
  end += 4;
  let signedZeros: u32 = 0;
  let last = small;
  const complete = <i32>(lowest + mantissaBits);
  // Two short mantissas make one entry.
  const pairs = mantissaBits <= 12;
  for (let i: u32 = 0; i < weights; i++) {
    const pattern = load<u32>(patterns + (<usize>i << 2));
    const exponent = (pattern & positive) >> mantissaBits;
    if (exponent < lowest) {
      signedZeros |= u32(pattern == <u32>1 << signBit) & u32(load<u8>(dense + (i >> 6)) == 0);
      store<u32>(last, i);
      last += 4;
    }
    const missing = exponent < lowest ? 0 : max(0, complete - <i32>exponent);
    const bits = pattern & ((1 << missing) - 1);
    if (pairs && (i & 1) != 0) {
      const before = load<u32>(end - 4);
      const length = before >> 24;
      store<u32>(end - 4, entry((before & 0xffffff) | (bits << length), length + missing));
    } else {
      store<u32>(end, entry(bits, missing));
      end += 4;
    }
  }
  store<u32>(flag, entry(signedZeros, 1));
  for (; small < last; small += 4) {
    const i = load<u32>(small);
    const pattern = load<u32>(patterns + (<usize>i << 2));
    const zero = nonzero != 0 && (pattern & positive) == 0;
    if (load<u8>(dense + (i >> 6)) == 0 && (!zero || signedZeros != 0)) {
      store<u32>(end, entry(pattern >> signBit, 1));
      end += 4;
    }
    if (zero) continue;
    const exponent = (pattern & positive) >> mantissaBits;
    const distance = lowest - 1 - exponent;
    if (distance < 8) store<u32>(end, entry((1 << distance) - 1, distance + 1));
    else store<u32>(end, entry(0xff | (exponent << 8), 8 + exponentBits));
    store<u32>(end, entry(pattern & ((1 << mantissaBits) - 1), mantissaBits), 4);
    end += 8;
  }
  return pack(list, end, out);
}
