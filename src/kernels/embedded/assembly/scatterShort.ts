// Patterns of 16 bits with at most 7 bits of mantissa to bitmaps, without numbers between them.

/** 2^e for e ≤ 7, then zeros; 2^(e - 7) for 8 ≤ e ≤ 14, else 0. */
const LOW_POWERS: usize = 0;
const HIGH_POWERS: usize = 16;

/**
 * What `scatter` does for numbers, for at most 15 planes: the magnitudes in steps of the lowest one, rounded down, as bitmaps;
 * signs as a bitmap.
 * @param lowest exponent field of what is 1 in the lowest plane
 * @param tables room for 32 bytes
 */
export function scatterShort(
  patterns: usize,
  groups: u32,
  mantissaBits: u32,
  lowest: u32,
  depth: u32,
  planes: usize,
  stride: usize,
  signs: usize,
  tables: usize,
): void {
  v128.store(tables, i8x16(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0), LOW_POWERS);
  v128.store(tables, i8x16(0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, -128, 0), HIGH_POWERS);
  const lowests = i16x8.splat(<i16>lowest);
  const align = 7 - mantissaBits;
  const first = min(depth, 8);
  const end = planes + (<usize>groups << 3);
  for (; planes < end; planes += 2, signs += 2, patterns += 32) {
    const a = v128.load(patterns);
    const b = v128.load(patterns, 16);
    store<u16>(signs, <u16>i8x16.bitmask(i8x16.narrow_i16x8_s(a, b)));
    const c = v128.and(a, i16x8.splat(0x7fff));
    const d = v128.and(b, i16x8.splat(0x7fff));
    // Planes that the leading bit is above the lowest; where it is below, no index of a table.
    const exponents = i8x16.narrow_i16x8_s(
      i16x8.sub(i16x8.shr_u(c, mantissaBits), lowests),
      i16x8.sub(i16x8.shr_u(d, mantissaBits), lowests),
    );
    const low = i8x16.swizzle(v128.load(tables, LOW_POWERS), exponents);
    const high = i8x16.swizzle(v128.load(tables, HIGH_POWERS), exponents);
    let e = magnitude(i16x8.shl(c, align), i16x8.extend_low_i8x16_u(low), i16x8.extend_low_i8x16_u(high));
    let f = magnitude(i16x8.shl(d, align), i16x8.extend_high_i8x16_u(low), i16x8.extend_high_i8x16_u(high));
    e = i16x8.shl(e, 16 - depth);
    f = i16x8.shl(f, 16 - depth);
    let bytes = i8x16.narrow_i16x8_u(i16x8.shr_u(e, 8), i16x8.shr_u(f, 8));
    let plane = planes;
    for (let k: u32 = 0; k < first; k++, plane += stride) {
      store<u16>(plane, <u16>i8x16.bitmask(bytes));
      bytes = i8x16.add(bytes, bytes);
    }
    bytes = i8x16.narrow_i16x8_u(v128.and(e, i16x8.splat(255)), v128.and(f, i16x8.splat(255)));
    for (let k = first; k < depth; k++, plane += stride) {
      store<u16>(plane, <u16>i8x16.bitmask(bytes));
      bytes = i8x16.add(bytes, bytes);
    }
  }
}

/** Seven bits of a mantissa, times one of the powers. */
// @ts-ignore: decorator
@inline
function magnitude(mantissas: v128, low: v128, high: v128): v128 {
  const whole = v128.or(v128.and(mantissas, i16x8.splat(0x7f)), i16x8.splat(0x80));
  return v128.or(i16x8.shr_u(i16x8.mul(whole, low), 7), i16x8.mul(whole, high));
}
