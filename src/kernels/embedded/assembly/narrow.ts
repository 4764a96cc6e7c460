// Patterns of 16 bits, sixteen at a time. The numbers of mantissa bits must be constants where these are called: shifts
// by variables take four times as many instructions. Tables are in memory, for an engine makes a constant anew, in up
// to five instructions, wherever it is used; shuffles are such as have an instruction of their own.

/** 2^(7 - n), twice. */
const FACTORS: usize = 0;
/** 2^n - 1: the low bytes, and the high ones. */
const MASKS: usize = 16;
const HIGH_MASKS: usize = 32;
/** What brings bit n of 16 to the highest place. */
const SIGN_FACTORS: usize = 48;
/** Sixteen times 1, 15, 31; eight times 0x8000. */
const ONES: usize = 80;
const BITS: usize = 96;
const PLACES: usize = 112;
const HIGHEST: usize = 128;

export function storeTables(tables: usize): void {
  v128.store(tables + FACTORS, i8x16(-128, 64, 32, 16, 8, 4, 2, 1, -128, 64, 32, 16, 8, 4, 2, 1));
  v128.store(tables + MASKS, i8x16(0, 1, 3, 7, 15, 31, 63, 127, -1, -1, -1, 0, 0, 0, 0, 0));
  v128.store(tables + HIGH_MASKS, i8x16(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0));
  v128.store(tables + SIGN_FACTORS, i16x8(-0x8000, 0x4000, 0x2000, 0x1000, 0x800, 0x400, 0x200, 0x100));
  v128.store(tables + SIGN_FACTORS, i16x8(128, 64, 32, 16, 8, 4, 2, 1), 16);
  v128.store(tables + ONES, i8x16.splat(1));
  v128.store(tables + BITS, i8x16.splat(15));
  v128.store(tables + PLACES, i8x16.splat(31));
  v128.store(tables + HIGHEST, i16x8.splat(-0x8000));
}

/**
 * Sixteen patterns: the upper part of a single-precision number, the field that it lacks, and the sign.
 * @param short no more than 7 bits are missing
 */
// @ts-ignore: decorator
@inline
export function completeNarrow(
  stream: usize,
  position: usize,
  magnitudes: usize,
  signs: usize,
  mantissaBits: u32,
  short: bool,
  scale: f32,
  complete: u32,
  tables: usize,
  bytes: u32,
  absent: usize,
  out: usize,
): usize {
  const zero = i32x4.splat(0);
  let first = truncate(magnitudes, scale, mantissaBits);
  let second = truncate(magnitudes + 32, scale, mantissaBits);
  const none = i8x16.narrow_i16x8_s(i16x8.eq(first, zero), i16x8.eq(second, zero));
  store<u16>(absent, <u16>i8x16.bitmask(none));

  const ends = i16x8.splat(<i16>complete);
  const missingFirst = i16x8.sub(ends, i16x8.shr_u(first, mantissaBits));
  const missingSecond = i16x8.sub(ends, i16x8.shr_u(second, mantissaBits));
  // What ends above the last bit misses less than none.
  const missing = v128.andnot(i8x16.narrow_i16x8_u(missingFirst, missingSecond), none);
  // The places of the fields: sums of the lengths before, in four steps; 16 times 10 bits are less than 256.
  let sum = i8x16.add(missing, i8x16.shuffle(zero, missing, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30));
  sum = i8x16.add(sum, i8x16.shuffle(zero, sum, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29));
  sum = i8x16.add(sum, i8x16.shuffle(zero, sum, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27));
  sum = i8x16.add(sum, i8x16.shuffle(zero, sum, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23));
  const starts = i8x16.sub(sum, missing);
  const masks = i8x16.swizzle(v128.load(tables + MASKS), missing);
  const firstMask = i16x8.extend_low_i8x16_u(masks);
  const secondMask = i16x8.extend_high_i8x16_u(masks);
  if (short) {
    // All fields are in 16 bytes, each in two of them.
    const chunk = v128.load(stream + (position >> 3));
    const bits = i8x16.add(starts, i8x16.splat(<i8>(position & 7)));
    const at = v128.and(i16x8.shr_u(bits, 3), v128.load(tables + PLACES));
    const low = i8x16.swizzle(chunk, at);
    const high = i8x16.swizzle(chunk, i8x16.add(at, v128.load(tables + ONES)));
    const factors = i8x16.swizzle(v128.load(tables + FACTORS), v128.and(bits, v128.load(tables + BITS)));
    const windowFirst = i8x16.shuffle(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const windowSecond = i8x16.shuffle(low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    first = v128.or(first, v128.and(field(windowFirst, i16x8.extend_low_i8x16_u(factors)), firstMask));
    second = v128.or(second, v128.and(field(windowSecond, i16x8.extend_high_i8x16_u(factors)), secondMask));
  } else {
    const half = <u32>i8x16.extract_lane_u(sum, 7);
    const highMasks = i8x16.swizzle(v128.load(tables + HIGH_MASKS), missing);
    const startsSecond = i16x8.sub(i16x8.extend_high_i8x16_u(starts), i16x8.splat(<i16>half));
    const fullFirst = v128.or(firstMask, i16x8.shl(i16x8.extend_low_i8x16_u(highMasks), 8));
    const fullSecond = v128.or(secondMask, i16x8.shl(i16x8.extend_high_i8x16_u(highMasks), 8));
    const a = longFields(stream, position, i16x8.extend_low_i8x16_u(starts), tables);
    const b = longFields(stream, position + half, startsSecond, tables);
    first = v128.or(first, v128.and(a, fullFirst));
    second = v128.or(second, v128.and(b, fullSecond));
  }

  const sixteen = v128.load16_splat(signs);
  const highest = v128.load(tables + HIGHEST);
  first = v128.or(first, v128.and(i16x8.mul(sixteen, v128.load(tables + SIGN_FACTORS)), highest));
  second = v128.or(second, v128.and(i16x8.mul(sixteen, v128.load(tables + SIGN_FACTORS, 16)), highest));
  if (bytes == 4) {
    v128.store(out, i16x8.shuffle(zero, first, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(out, i16x8.shuffle(zero, first, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    v128.store(out, i16x8.shuffle(zero, second, 0, 8, 1, 9, 2, 10, 3, 11), 32);
    v128.store(out, i16x8.shuffle(zero, second, 4, 12, 5, 13, 6, 14, 7, 15), 48);
  } else {
    v128.store(out, first);
    v128.store(out, second, 16);
  }
  return position + <usize>i8x16.extract_lane_u(sum, 15);
}

/** Eight magnitudes as patterns without their missing bits and their sign. */
// @ts-ignore: decorator
@inline
function truncate(magnitudes: usize, scale: f32, mantissaBits: u32): v128 {
  const factor = f32x4.splat(scale);
  const drop = 23 - mantissaBits;
  const a = f32x4.mul(f32x4.convert_i32x4_s(v128.load(magnitudes)), factor);
  const b = f32x4.mul(f32x4.convert_i32x4_s(v128.load(magnitudes, 16)), factor);
  return i16x8.narrow_i32x4_u(i32x4.shr_u(a, drop), i32x4.shr_u(b, drop));
}

/** The bits of 16 from bit n on, nine at most; the factor is 2^(7 - n). */
// @ts-ignore: decorator
@inline
function field(window: v128, factor: v128): v128 {
  return i16x8.shr_u(i16x8.mul(window, factor), 7);
}

/** Sixteen bits each from `position` and `starts`, at most 80, on. */
// @ts-ignore: decorator
@inline
function longFields(stream: usize, position: usize, starts: v128, tables: usize): v128 {
  const chunk = v128.load(stream + (position >> 3));
  const bits = i16x8.add(starts, i16x8.splat(<i16>(position & 7)));
  const at = i16x8.shr_u(bits, 3);
  const bytes = i16x8.add(v128.or(at, i16x8.shl(at, 8)), i16x8.splat(0x0100));
  // The upper bytes are 128: what they bring is above bit 7.
  const factors = i8x16.swizzle(v128.load(tables + FACTORS), v128.and(bits, i16x8.splat(7)));
  const low = field(i8x16.swizzle(chunk, bytes), factors);
  const high = field(i8x16.swizzle(chunk, i16x8.add(bytes, i16x8.splat(0x0101))), factors);
  return v128.or(v128.and(low, i16x8.splat(255)), i16x8.shl(high, 8));
}
