// Decoding the embedded encoding; `src/kernels/portable/embedded` does the same, and says why. Bit streams have room
// behind them for what a broken one makes the kernels read: the caller compares lengths afterwards.
import { decodeBitmap, deposit, peek, read } from './embedded/bitmaps';
import { gatherGroup, signLanes } from './embedded/gather';

export { decodeBitmap };

/** A plane of a tile; returns the bytes it has read. */
export function decodePlane(
  unit: usize,
  groups: u32,
  significant: usize,
  signs: usize,
  counts: usize,
  dense: usize,
  plane: usize,
  codes: usize,
  apart: bool,
): usize {
  let stream = unit;
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) == 0) continue;
    store<u64>(plane + (group << 3), load<u64>(stream));
    stream += 8;
  }
  if (stream - unit == groups << 3) return stream - unit;
  let position = decodeBitmap(stream, 0, groups, counts, dense, plane, codes);
  if (apart) {
    for (let group: u32 = 0; group < groups; group++) {
      if (load<u8>(dense + group) != 0) continue;
      const at = group << 3;
      const known = load<u64>(significant + at);
      const count = <u32>popcnt(known);
      store<u64>(plane + at, load<u64>(plane + at) | deposit(read(stream, position, count), known));
      position += count;
    }
  }
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) != 0) continue;
    const at = group << 3;
    const known = load<u64>(significant + at);
    const fresh = load<u64>(plane + at) & ~known;
    if (fresh == 0) continue;
    const count = <u32>popcnt(fresh);
    store<u64>(signs + at, load<u64>(signs + at) | deposit(read(stream, position, count), fresh));
    position += count;
    store<u64>(significant + at, known | fresh);
    store<u8>(counts + group, <u8>(load<u8>(counts + group) + count));
  }
  return stream - unit + ((position + 7) >> 3);
}

/** Signs of the groups that become dense; returns the bytes it has read. */
export function decodeSigns(
  unit: usize,
  weights: u32,
  groups: u32,
  threshold: u32,
  significant: usize,
  signs: usize,
  counts: usize,
  dense: usize,
): usize {
  let position: usize = 0;
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) != 0 || load<u8>(counts + group) < threshold) continue;
    store<u8>(dense + group, 1);
    const at = group << 3;
    const left = weights - (group << 6);
    const present: u64 = left >= 64 ? ~(<u64>0) : ((<u64>1) << left) - 1;
    const known = load<u64>(significant + at) | ~present;
    const count = <u32>popcnt(~known);
    // Few are known: a gap is opened for each, lowest first, in place of placing every bit.
    let bits = read(unit, position, count);
    for (let gaps = known; gaps != 0; gaps &= gaps - 1) {
      const below = (gaps & (0 - gaps)) - 1;
      bits = (bits & below) | ((bits & ~below) << 1);
    }
    store<u64>(signs + at, load<u64>(signs + at) | bits);
    position += count;
  }
  return (position + 7) >> 3;
}


/**
 * The numbers that the first `depth` planes of a tile stand for. `step` is 1/256 of the lowest one's; `group` has room
 * for 64 i32.
 */
export function placeWeights(
  planes: usize,
  stride: usize,
  depth: u32,
  groups: u32,
  signs: usize,
  dense: usize,
  centroid: u32,
  zeroCentroid: u32,
  step: f32,
  group: usize,
  out: usize,
): void {
  const inside = i32x4.splat(centroid);
  const steps = f32x4.splat(step);
  const zero = i32x4.splat(0);
  for (let g: u32 = 0; g < groups; g++, planes += 8, signs += 8) {
    gatherGroup(planes, stride, depth, group);
    const outside = i32x4.splat(load<u8>(dense + g) != 0 ? zeroCentroid : 0);
    for (let i: u32 = 0; i < 64; i += 4, out += 16) {
      const magnitude = v128.load(group + (i << 2));
      const offset = v128.bitselect(outside, inside, i32x4.eq(magnitude, zero));
      const value = f32x4.mul(f32x4.convert_i32x4_s(i32x4.add(i32x4.shl(magnitude, 8), offset)), steps);
      v128.store(out, v128.or(value, signLanes(load<u8>(signs + (i >> 3)) >> (i & 4))));
    }
  }
}

/**
 * Patterns of floats whose lowest missing bits follow in a stream, from `position` on; returns the position behind
 * them. Weights of which the planes know nothing get a pattern with their sign alone.
 * @param scale what 1 in the lowest plane stands for
 * @param lowest the exponent field of `scale`
 * @param scratch room for 64 i32 and 64 bytes
 */
export function decodeMantissas(
  stream: usize,
  position: usize,
  planes: usize,
  stride: usize,
  depth: u32,
  groups: u32,
  signs: usize,
  mantissaBits: u32,
  scale: f32,
  lowest: u32,
  wide: bool,
  scratch: usize,
  out: usize,
): usize {
  const missing = scratch + 256;
  const zero = i32x4.splat(0);
  const factor = f32x4.splat(scale);
  const drop = 23 - mantissaBits;
  // What the exponent field of a single-precision number has more than this format's.
  const rebias = i32x4.splat(mantissaBits == 10 ? 112 << 10 : 0);
  const complete = i32x4.splat(mantissaBits + lowest);
  for (let g: u32 = 0; g < groups; g++, planes += 8, signs += 8) {
    gatherGroup(planes, stride, depth, scratch);
    for (let i: u32 = 0; i < 64; i += 4) {
      const magnitude = v128.load(scratch + (i << 2));
      const number = f32x4.mul(f32x4.convert_i32x4_s(magnitude), factor);
      const absent = i32x4.eq(magnitude, zero);
      const short = v128.andnot(i32x4.max_s(i32x4.sub(complete, i32x4.shr_u(number, 23)), zero), absent);
      const sign = signLanes(load<u8>(signs + (i >> 3)) >> (i & 4));
      const pattern = v128.andnot(i32x4.sub(i32x4.shr_u(number, drop), rebias), absent);
      if (wide) v128.store(out + (i << 2), v128.or(pattern, sign));
      else {
        const half = v128.or(pattern, i32x4.shr_u(sign, 16));
        v128.store64_lane(out + (i << 1), i16x8.narrow_i32x4_u(half, half), 0);
      }
      const bytes = i16x8.narrow_i32x4_u(short, short);
      v128.store32_lane(missing + i, i8x16.narrow_i16x8_u(bytes, bytes), 0);
    }
    position = wide
      ? addWide(stream, position, missing, out)
      : addNarrow(stream, position, missing, out);
    out += wide ? 256 : 128;
  }
  return position;
}

// @ts-ignore: decorator
@inline
function addWide(stream: usize, position: usize, missing: usize, out: usize): usize {
  // Twice 23 bits lie in one load.
  for (let i: u32 = 0; i < 64; i += 2, out += 8) {
    const bits = peek(stream, position);
    const a = <u64>load<u8>(missing + i);
    const b = <u64>load<u8>(missing + i, 1);
    store<u32>(out, load<u32>(out) | <u32>(bits & ((<u64>1 << a) - 1)));
    store<u32>(out, load<u32>(out, 4) | <u32>((bits >> a) & ((<u64>1 << b) - 1)), 4);
    position += <usize>(a + b);
  }
  return position;
}

// @ts-ignore: decorator
@inline
function addNarrow(stream: usize, position: usize, missing: usize, out: usize): usize {
  // Four times 10 bits lie in one load.
  for (let i: u32 = 0; i < 64; i += 4, out += 8) {
    const bits = peek(stream, position);
    const lengths = load<u32>(missing + i);
    const a = <u64>(lengths & 0xff);
    const ab = a + ((lengths >> 8) & 0xff);
    const abc = ab + ((lengths >> 16) & 0xff);
    const all = abc + (lengths >> 24);
    const first = bits & ((<u64>1 << a) - 1);
    const second = (bits & ((<u64>1 << ab) - 1)) >> a;
    const third = (bits & ((<u64>1 << abc) - 1)) >> ab;
    const fourth = (bits & ((<u64>1 << all) - 1)) >> abc;
    const four = first | (second << 16) | (third << 32) | (fourth << 48);
    store<u64>(out, load<u64>(out) | four);
    position += <usize>all;
  }
  return position;
}

/**
 * The weights of which the planes know nothing, whole; returns the position behind them.
 * @param nonzero bitmap of those that are not zero; 0: there is none
 */
export function decodeSmall(
  stream: usize,
  position: usize,
  planes: usize,
  stride: usize,
  depth: u32,
  weights: u32,
  dense: usize,
  nonzero: usize,
  signedZeros: bool,
  mantissaBits: u32,
  exponentBits: u32,
  lowest: u32,
  wide: bool,
  out: usize,
): usize {
  const signBit = mantissaBits + exponentBits;
  const groups = (weights + 63) >> 6;
  for (let g: u32 = 0; g < groups; g++) {
    let seen: u64 = 0;
    for (let k: u32 = 0; k < depth; k++) seen |= load<u64>(planes + stride * k + (g << 3));
    const left = weights - (g << 6);
    if (left < 64) seen |= ~(((<u64>1) << left) - 1);
    const isDense = load<u8>(dense + g) != 0;
    const marks: u64 = nonzero == 0 ? ~(<u64>0) : load<u64>(nonzero + (g << 3));
    for (let rest = ~seen; rest != 0; rest &= rest - 1) {
      const i = <u32>ctz(rest);
      const zero = ((marks >> i) & 1) == 0;
      let pattern: u32 = 0;
      if (!isDense && (!zero || signedZeros)) {
        pattern = <u32>(peek(stream, position) & 1) << signBit;
        position += 1;
      }
      if (!zero) {
        const bits = peek(stream, position);
        const distance = <u32>ctz(~bits | 0x100);
        let exponent: i32;
        if (distance == 8) {
          exponent = <i32>((bits >> 8) & ((1 << exponentBits) - 1));
          position += 8 + exponentBits;
        } else {
          exponent = max(0, <i32>lowest - 1 - <i32>distance);
          position += distance + 1;
        }
        pattern |= (<u32>exponent << mantissaBits) | <u32>(peek(stream, position) & ((1 << mantissaBits) - 1));
        position += mantissaBits;
      }
      const at = (g << 6) + i;
      if (wide) store<u32>(out + (at << 2), load<u32>(out + (at << 2)) | pattern);
      else store<u16>(out + (at << 1), <u16>(load<u16>(out + (at << 1)) | pattern));
    }
  }
  return position;
}
