// Numbers to bitmaps.

/**
 * Splits groups of numbers: the magnitudes in steps of `1 / (factor · more)`, rounded down, as bitmaps to `planes`; |x| in
 * the same steps to `numbers`, in place; signs as a bitmap. Returns Σ of the squares of what rounding drops. Both factors
 * together may exceed what a single-precision number holds.
 * @param scratch room for 64 bytes
 */
export function scatter(
  numbers: usize,
  groups: u32,
  factor: f32,
  more: f32,
  depth: u32,
  planes: usize,
  stride: usize,
  signs: usize,
  scratch: usize,
): f64 {
  const factors = f32x4.splat(factor);
  const moreFactors = f32x4.splat(more);
  const end = numbers + (<usize>groups << 8);
  const last = planes + stride * (depth - 1);
  let squares: f64 = 0;
  let dropped = f32x4.splat(0);
  for (let at: usize = 0; numbers < end; numbers += 64, at += 2) {
    let sign: u32 = 0;
    for (let k: u32 = 0; k < 4; k++) {
      const value = v128.load(numbers + (k << 4));
      sign |= i32x4.bitmask(value) << (k << 2);
      const x = f32x4.mul(f32x4.mul(f32x4.abs(value), factors), moreFactors);
      v128.store(numbers + (k << 4), x);
      const whole = i32x4.trunc_sat_f32x4_s(x);
      v128.store(scratch + (k << 4), whole);
      const rest = f32x4.sub(x, f32x4.convert_i32x4_s(whole));
      dropped = f32x4.add(dropped, f32x4.mul(rest, rest));
    }
    store<u16>(signs + at, <u16>sign);
    if ((at & 6) == 6) {
      squares += floats(dropped);
      dropped = f32x4.splat(0);
    }
    for (let shift: u32 = 0; shift < depth; shift += 8) {
      const low = i32x4.splat(0xff);
      const a = v128.and(i32x4.shr_u(v128.load(scratch), shift), low);
      const b = v128.and(i32x4.shr_u(v128.load(scratch, 16), shift), low);
      const c = v128.and(i32x4.shr_u(v128.load(scratch, 32), shift), low);
      const d = v128.and(i32x4.shr_u(v128.load(scratch, 48), shift), low);
      const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_u(a, b), i16x8.narrow_i32x4_u(c, d));
      const bits = min(8, depth - shift);
      let plane = last - stride * shift + at;
      for (let bit: u32 = 0; bit < bits; bit++, plane -= stride) {
        store<u16>(plane, <u16>i8x16.bitmask(i8x16.shl(bytes, 7 - bit)));
      }
    }
  }
  return squares;
}

// @ts-ignore: decorator
@inline
function floats(v: v128): f64 {
  return (
    <f64>f32x4.extract_lane(v, 0) + <f64>f32x4.extract_lane(v, 1) +
    <f64>f32x4.extract_lane(v, 2) + <f64>f32x4.extract_lane(v, 3)
  );
}
