// The missing low bits of mantissas, as entries of u64; and which weights the planes do not hold (`absent`), which of
// these are not zero. Patterns come in whole groups.

/** 2^n - 1: the low bytes, and the high ones. */
const MASKS: usize = 0;
const HIGH_MASKS: usize = 16;

export function storeTables(tables: usize): void {
  v128.store(tables + MASKS, i8x16(0, 1, 3, 7, 15, 31, 63, 127, -1, -1, -1, 0, 0, 0, 0, 0));
  v128.store(tables + HIGH_MASKS, i8x16(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0));
}

/**
 * Of patterns of 16 bits: four fields are an entry, or, where they have at most 7 bits, eight. Returns their end.
 * @param wholeFrom exponent field from which on planes hold whole mantissas
 */
// @ts-ignore: decorator
@inline
export function shortFields(
  patterns: usize,
  groups: u32,
  mantissaBits: u32,
  wholeFrom: u32,
  lowest: u32,
  absent: usize,
  nonzero: usize,
  tables: usize,
  fields: usize,
): usize {
  const complete = i16x8.splat(<i16>wholeFrom);
  const lowests = i16x8.splat(<i16>lowest);
  const ones = i16x8.splat(1);
  const end = patterns + (<usize>groups << 7);
  for (; patterns < end; patterns += 16, absent += 1, nonzero += 1) {
    const pattern = v128.load(patterns);
    const magnitude = v128.and(pattern, i16x8.splat(0x7fff));
    const exponent = i16x8.shr_u(magnitude, mantissaBits);
    const none = i16x8.lt_s(exponent, lowests);
    const missing = v128.andnot(i16x8.max_s(i16x8.sub(complete, exponent), i16x8.splat(0)), none);
    store<u8>(absent, <u8>i16x8.bitmask(none));
    store<u8>(nonzero, <u8>i16x8.bitmask(v128.and(none, i16x8.gt_s(magnitude, i16x8.splat(0)))));
    let mask = i8x16.swizzle(v128.load(tables + MASKS), missing);
    if (mantissaBits > 8) {
      mask = v128.or(mask, i16x8.shl(i8x16.swizzle(v128.load(tables + HIGH_MASKS), missing), 8));
    }
    // Pairs: the first field and the second times two to the length of the first.
    const factors = v128.or(i32x4.shl(i16x8.add(mask, ones), 16), i32x4.splat(1));
    const pairs = i32x4.dot_i16x8_s(v128.and(pattern, mask), factors);
    const lengths = i32x4.dot_i16x8_s(missing, ones);
    const first = join(i64x2.extract_lane(pairs, 0), i64x2.extract_lane(lengths, 0));
    const second = join(i64x2.extract_lane(pairs, 1), i64x2.extract_lane(lengths, 1));
    if (mantissaBits < 8) {
      // The lengths add up, and what was above the second's value makes room.
      const value = (second & 0xffffffffffffff) << (first >> 56);
      store<u64>(fields, (first | value) + (second & 0xff00000000000000));
      fields += 8;
    } else {
      store<u64>(fields, first);
      store<u64>(fields, second, 8);
      fields += 16;
    }
  }
  return fields;
}

/** Two values of 32 bits, and their lengths, to an entry. */
// @ts-ignore: decorator
@inline
function join(values: u64, lengths: u64): u64 {
  const length = lengths & 0xff;
  return (values & 0xffffffff) | ((values >> 32) << length) | ((length + (lengths >> 32)) << 56);
}

/** The same for patterns of single precision, two fields an entry. */
export function longFields(
  patterns: usize,
  groups: u32,
  lowest: u32,
  absent: usize,
  nonzero: usize,
  fields: usize,
): usize {
  const complete = i32x4.splat(lowest + 23);
  const lowests = i32x4.splat(lowest);
  const end = patterns + (<usize>groups << 8);
  for (; patterns < end; patterns += 32, absent += 1, nonzero += 1) {
    let without: u32 = 0;
    let unmarked: u32 = 0;
    for (let k: u32 = 0; k < 8; k += 4) {
      const pattern = v128.load(patterns + (k << 2));
      const magnitude = v128.and(pattern, i32x4.splat(0x7fffffff));
      const exponent = i32x4.shr_u(magnitude, 23);
      const none = i32x4.lt_s(exponent, lowests);
      const missing = v128.andnot(i32x4.max_s(i32x4.sub(complete, exponent), i32x4.splat(0)), none);
      without |= <u32>i32x4.bitmask(none) << k;
      unmarked |= <u32>i32x4.bitmask(v128.and(none, i32x4.gt_s(magnitude, i32x4.splat(0)))) << k;
      store<u64>(fields, cut(i64x2.extract_lane(pattern, 0), i64x2.extract_lane(missing, 0)));
      store<u64>(fields, cut(i64x2.extract_lane(pattern, 1), i64x2.extract_lane(missing, 1)), 8);
      fields += 16;
    }
    store<u8>(absent, <u8>without);
    store<u8>(nonzero, <u8>unmarked);
  }
  return fields;
}

/** As many of the low bits of two patterns as are missing, as an entry. */
// @ts-ignore: decorator
@inline
function cut(patterns: u64, lengths: u64): u64 {
  const low = patterns & (((<u64>1) << (lengths & 0xff)) - 1);
  const high = (patterns >> 32) & (((<u64>1) << (lengths >> 32)) - 1);
  return join(low | (high << 32), lengths);
}
