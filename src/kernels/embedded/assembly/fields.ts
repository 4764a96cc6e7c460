// The missing low bits of mantissas, as entries of u64, and what the planes do not hold. Patterns come in whole groups.

/** 2^n - 1: the low bytes, and the high ones. */
const MASKS: usize = 0;
const HIGH_MASKS: usize = 16;

export function storeTables(tables: usize): void {
  v128.store(tables + MASKS, i8x16(0, 1, 3, 7, 15, 31, 63, 127, -1, -1, -1, 0, 0, 0, 0, 0));
  v128.store(tables + HIGH_MASKS, i8x16(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0));
}

/** Which weights the planes do not hold, and which of these are not zero, of patterns of 16 bits. */
export function shortBitmaps(
  patterns: usize,
  groups: u32,
  mantissaBits: u32,
  lowest: u32,
  absent: usize,
  nonzero: usize,
): void {
  const first = i16x8.splat(<i16>(lowest << mantissaBits));
  const end = patterns + (<usize>groups << 7);
  for (; patterns < end; patterns += 32, absent += 2, nonzero += 2) {
    const a = v128.and(v128.load(patterns), i16x8.splat(0x7fff));
    const b = v128.and(v128.load(patterns, 16), i16x8.splat(0x7fff));
    const none = i8x16.narrow_i16x8_s(i16x8.lt_s(a, first), i16x8.lt_s(b, first));
    const zeros = i8x16.narrow_i16x8_s(i16x8.eq(a, i16x8.splat(0)), i16x8.eq(b, i16x8.splat(0)));
    store<u16>(absent, <u16>i8x16.bitmask(none));
    store<u16>(nonzero, <u16>i8x16.bitmask(v128.andnot(none, zeros)));
  }
}

/** The same of patterns of single precision. */
export function longBitmaps(patterns: usize, groups: u32, lowest: u32, absent: usize, nonzero: usize): void {
  const first = i32x4.splat(<i32>(lowest << 23));
  const end = patterns + (<usize>groups << 8);
  for (; patterns < end; patterns += 32, absent += 1, nonzero += 1) {
    const a = v128.and(v128.load(patterns), i32x4.splat(0x7fffffff));
    const b = v128.and(v128.load(patterns, 16), i32x4.splat(0x7fffffff));
    const none = i16x8.narrow_i32x4_s(i32x4.lt_s(a, first), i32x4.lt_s(b, first));
    const zeros = i16x8.narrow_i32x4_s(i32x4.eq(a, i32x4.splat(0)), i32x4.eq(b, i32x4.splat(0)));
    store<u8>(absent, <u8>i16x8.bitmask(none));
    store<u8>(nonzero, <u8>i16x8.bitmask(v128.andnot(none, zeros)));
  }
}

/**
 * The missing bits of a group of patterns with at most 7 bits of mantissa to eight entries. They are joined by products: the
 * second of two fields times two to the length of the first.
 * @param wholeFrom exponent field from which on planes hold whole mantissas
 */
// @ts-ignore: decorator
@inline
export function shortestFields(
  patterns: usize,
  mantissaBits: u32,
  wholeFrom: u32,
  lowest: u32,
  tables: usize,
  fields: usize,
): void {
  const complete = i16x8.splat(<i16>wholeFrom);
  const least = i8x16.splat(<i8>lowest);
  const low = i16x8.splat(255);
  const ones = i16x8.splat(1);
  const mantissas = i16x8.splat(<i16>((<u32>1 << mantissaBits) - 1));
  for (const end = fields + 64; fields < end; fields += 16, patterns += 32) {
    const a = v128.load(patterns);
    const b = v128.load(patterns, 16);
    const exponentA = i16x8.shr_u(i16x8.shl(a, 1), mantissaBits + 1);
    const exponentB = i16x8.shr_u(i16x8.shl(b, 1), mantissaBits + 1);
    const exponents = i8x16.narrow_i16x8_u(exponentA, exponentB);
    const below = i8x16.narrow_i16x8_u(i16x8.sub(complete, exponentA), i16x8.sub(complete, exponentB));
    const missing = v128.and(below, i8x16.ge_u(exponents, least));
    const masks = i8x16.swizzle(v128.load(tables + MASKS), missing);
    const values = v128.and(masks, i8x16.narrow_i16x8_u(v128.and(a, mantissas), v128.and(b, mantissas)));
    const factors = i16x8.add(v128.and(masks, low), ones);
    const pairs = i16x8.add(v128.and(values, low), i16x8.mul(i16x8.shr_u(values, 8), factors));
    const lengths = i16x8.add(v128.and(missing, low), i16x8.shr_u(missing, 8));
    const both = i16x8.mul(factors, i16x8.add(i16x8.shr_u(masks, 8), ones));
    const fours = i32x4.dot_i16x8_s(pairs, v128.or(i32x4.shl(both, 16), i32x4.splat(1)));
    const lengthsOfFours = i32x4.dot_i16x8_s(lengths, ones);
    store<u64>(fields, join(i64x2.extract_lane(fours, 0), i64x2.extract_lane(lengthsOfFours, 0)));
    store<u64>(fields, join(i64x2.extract_lane(fours, 1), i64x2.extract_lane(lengthsOfFours, 1)), 8);
  }
}

/** The same with at most 10 bits: sixteen entries. */
export function shortFields(patterns: usize, wholeFrom: u32, lowest: u32, tables: usize, fields: usize): void {
  const complete = i16x8.splat(<i16>wholeFrom);
  const lowests = i16x8.splat(<i16>lowest);
  const ones = i16x8.splat(1);
  for (const end = fields + 128; fields < end; fields += 16, patterns += 16) {
    const pattern = v128.load(patterns);
    const exponent = i16x8.shr_u(v128.and(pattern, i16x8.splat(0x7fff)), 10);
    const none = i16x8.lt_s(exponent, lowests);
    const missing = v128.andnot(i16x8.max_s(i16x8.sub(complete, exponent), i16x8.splat(0)), none);
    const low = i8x16.swizzle(v128.load(tables + MASKS), missing);
    const mask = v128.or(low, i16x8.shl(i8x16.swizzle(v128.load(tables + HIGH_MASKS), missing), 8));
    const factors = v128.or(i32x4.shl(i16x8.add(mask, ones), 16), i32x4.splat(1));
    const pairs = i32x4.dot_i16x8_s(v128.and(pattern, mask), factors);
    const lengths = i32x4.dot_i16x8_s(missing, ones);
    store<u64>(fields, join(i64x2.extract_lane(pairs, 0), i64x2.extract_lane(lengths, 0)));
    store<u64>(fields, join(i64x2.extract_lane(pairs, 1), i64x2.extract_lane(lengths, 1)), 8);
  }
}

/** The same of patterns of single precision: 32 entries. */
export function longFields(patterns: usize, lowest: u32, fields: usize): void {
  const complete = i32x4.splat(lowest + 23);
  const lowests = i32x4.splat(lowest);
  for (const end = fields + 256; fields < end; fields += 16, patterns += 16) {
    const pattern = v128.load(patterns);
    const exponent = i32x4.shr_u(v128.and(pattern, i32x4.splat(0x7fffffff)), 23);
    const none = i32x4.lt_s(exponent, lowests);
    const missing = v128.andnot(i32x4.max_s(i32x4.sub(complete, exponent), i32x4.splat(0)), none);
    store<u64>(fields, cut(i64x2.extract_lane(pattern, 0), i64x2.extract_lane(missing, 0)));
    store<u64>(fields, cut(i64x2.extract_lane(pattern, 1), i64x2.extract_lane(missing, 1)), 8);
  }
}

/** Two values of 32 bits, and their lengths, to an entry. */
// @ts-ignore: decorator
@inline
function join(values: u64, lengths: u64): u64 {
  const length = lengths & 0xff;
  return (values & 0xffffffff) | ((values >> 32) << length) | ((length + (lengths >> 32)) << 56);
}

/** As many of the low bits of two patterns as are missing, as an entry. */
// @ts-ignore: decorator
@inline
function cut(patterns: u64, lengths: u64): u64 {
  const low = patterns & (((<u64>1) << (lengths & 0xff)) - 1);
  const high = (patterns >> 32) & (((<u64>1) << (lengths >> 32)) - 1);
  return join(low | (high << 32), lengths);
}
