import { peek } from './bitmaps';
import { gatherGroup, signLanes } from './gather';

/** What `decodeMantissas` works with: 64 i32, 64 bytes, 64 u16. */
const MISSING: usize = 256;
const FIELDS: usize = 320;

/**
 * Patterns of floats whose lowest missing bits follow in a stream, from `position` on; returns the position behind
 * them. Weights of which the planes know nothing get a pattern with their sign alone.
 * @param lowest the exponent field of what 1 in the lowest plane stands for
 * @param scale the single-precision number with this exponent field: what is in its upper bits is the pattern
 * @param scratch room for 448 bytes
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
  for (let g: u32 = 0; g < groups; g++, planes += 8, signs += 8) {
    gatherGroup(planes, stride, depth, scratch);
    if (wide) {
      truncateWide(scratch, signs, scale, lowest + mantissaBits, out);
      position = addWide(stream, position, scratch + MISSING, out);
      out += 256;
    } else {
      truncateNarrow(scratch, signs, scale, mantissaBits, lowest, out);
      position = readFields(stream, position, scratch + MISSING, scratch + FIELDS);
      addFields(scratch, out);
      out += 128;
    }
  }
  return position;
}

/** Single-precision patterns without their missing bits, and how many these are. */
// @ts-ignore: decorator
@inline
function truncateWide(scratch: usize, signs: usize, scale: f32, complete: u32, out: usize): void {
  const zero = i32x4.splat(0);
  const factor = f32x4.splat(scale);
  for (let i: u32 = 0; i < 64; i += 4) {
    const magnitude = v128.load(scratch + (i << 2));
    const number = f32x4.mul(f32x4.convert_i32x4_s(magnitude), factor);
    const absent = i32x4.eq(magnitude, zero);
    const missing = i32x4.max_s(i32x4.sub(i32x4.splat(complete), i32x4.shr_u(number, 23)), zero);
    const sign = signLanes(load<u8>(signs + (i >> 3)) >> (i & 4));
    v128.store(out + (i << 2), v128.or(v128.andnot(number, absent), sign));
    const halves = i16x8.narrow_i32x4_u(v128.andnot(missing, absent), zero);
    v128.store32_lane(scratch + MISSING + i, i8x16.narrow_i16x8_u(halves, halves), 0);
  }
}

/** The same for patterns of 16 bits: the upper part of a single-precision number. */
// @ts-ignore: decorator
@inline
function truncateNarrow(
  scratch: usize,
  signs: usize,
  scale: f32,
  mantissaBits: u32,
  lowest: u32,
  out: usize,
): void {
  const zero = i32x4.splat(0);
  const factor = f32x4.splat(scale);
  const drop = 23 - mantissaBits;
  const complete = i16x8.splat(<i16>(lowest + mantissaBits));
  const places = i16x8(1, 2, 4, 8, 16, 32, 64, 128);
  for (let i: u32 = 0; i < 64; i += 8) {
    const a = f32x4.mul(f32x4.convert_i32x4_s(v128.load(scratch + (i << 2))), factor);
    const b = f32x4.mul(f32x4.convert_i32x4_s(v128.load(scratch + (i << 2), 16)), factor);
    const pattern = i16x8.narrow_i32x4_u(i32x4.shr_u(a, drop), i32x4.shr_u(b, drop));
    const absent = i16x8.eq(pattern, zero);
    const missing = i16x8.max_s(i16x8.sub(complete, i16x8.shr_u(pattern, mantissaBits)), zero);
    const negative = i16x8.eq(v128.and(i16x8.splat(load<u8>(signs + (i >> 3))), places), places);
    v128.store(out + (i << 1), v128.or(pattern, v128.and(negative, i16x8.splat(-0x8000))));
    v128.store64_lane(scratch + MISSING + i, i8x16.narrow_i16x8_u(v128.andnot(missing, absent), zero), 0);
  }
}

// @ts-ignore: decorator
@inline
function addWide(stream: usize, position: usize, missing: usize, out: usize): usize {
  // Twice 23 bits lie in one load.
  for (let i: u32 = 0; i < 64; i += 2, out += 8) {
    const bits = peek(stream, position);
    const a = <u64>load<u8>(missing + i);
    const b = <u64>load<u8>(missing + i, 1);
    const first = bits & ((<u64>1 << a) - 1);
    const second = (bits >> a) & ((<u64>1 << b) - 1);
    store<u64>(out, load<u64>(out) | first | (second << 32));
    position += <usize>(a + b);
  }
  return position;
}

/** The fields of 64 weights, each with what follows it in the stream above. */
// @ts-ignore: decorator
@inline
function readFields(stream: usize, position: usize, missing: usize, fields: usize): usize {
  // Four times 10 bits lie in one load.
  for (let i: u32 = 0; i < 64; i += 4, fields += 8) {
    const bits = peek(stream, position);
    // Sums of one, two, three and all four lengths.
    const ends = load<u32>(missing + i) * 0x01010101;
    store<u16>(fields, <u16>bits);
    store<u16>(fields, <u16>(bits >> (ends & 0xff)), 2);
    store<u16>(fields, <u16>(bits >> ((ends >> 8) & 0xff)), 4);
    store<u16>(fields, <u16>(bits >> ((ends >> 16) & 0xff)), 6);
    position += ends >> 24;
  }
  return position;
}

/** Puts the fields, as many bits of each as are missing, into the patterns. */
// @ts-ignore: decorator
@inline
function addFields(scratch: usize, out: usize): void {
  // 2^n - 1 for n up to 10: the low bytes, and the high ones.
  const low = i8x16(0, 1, 3, 7, 15, 31, 63, 127, -1, -1, -1, 0, 0, 0, 0, 0);
  const high = i8x16(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0);
  for (let i: u32 = 0; i < 64; i += 16, out += 32) {
    const missing = v128.load(scratch + MISSING + i);
    const lows = i8x16.swizzle(low, missing);
    const highs = i8x16.swizzle(high, missing);
    const first = i8x16.shuffle(lows, highs, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const second = i8x16.shuffle(lows, highs, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const fields = scratch + FIELDS + (i << 1);
    v128.store(out, v128.or(v128.load(out), v128.and(v128.load(fields), first)));
    v128.store(out, v128.or(v128.load(out, 16), v128.and(v128.load(fields, 16), second)), 16);
  }
}
