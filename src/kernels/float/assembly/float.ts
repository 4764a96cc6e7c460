// Half and bfloat16 to and from f32, bit for bit as `src/tensor/float.ts` does it, which says why. Eight elements a step:
// the caller gives whole steps, so `count` is a multiple of 8 and both arrays have room for that many.

export function bfloat16ToFloat32(from: usize, to: usize, count: usize): void {
  const end = from + (count << 1);
  for (; from < end; from += 16, to += 32) {
    const patterns = v128.load(from);
    v128.store(to, i32x4.shl(i32x4.extend_low_i16x8_u(patterns), 16));
    v128.store(to, i32x4.shl(i32x4.extend_high_i16x8_u(patterns), 16), 16);
  }
}

export function float32ToBfloat16(from: usize, to: usize, count: usize): void {
  const end = to + (count << 1);
  for (; to < end; from += 32, to += 16) {
    v128.store(to, i16x8.narrow_i32x4_u(roundToBfloat16(v128.load(from)), roundToBfloat16(v128.load(from, 16))));
  }
}

export function halfToFloat32(from: usize, to: usize, count: usize): void {
  const end = from + (count << 1);
  for (; from < end; from += 16, to += 32) {
    const patterns = v128.load(from);
    v128.store(to, widenHalf(i32x4.extend_low_i16x8_u(patterns)));
    v128.store(to, widenHalf(i32x4.extend_high_i16x8_u(patterns)), 16);
  }
}

export function float32ToHalf(from: usize, to: usize, count: usize): void {
  const end = to + (count << 1);
  for (; to < end; from += 32, to += 16) {
    v128.store(to, i16x8.narrow_i32x4_u(roundToHalf(v128.load(from)), roundToHalf(v128.load(from, 16))));
  }
}

/** (value − zero point) · scale of bytes, sixteen a step: the difference is exact, the product rounded once. */
export function dequantize(from: usize, to: usize, count: usize, scale: f32, zeroPoint: i32): void {
  const zero = i16x8.splat(<i16>zeroPoint);
  const scales = f32x4.splat(scale);
  const end = from + count;
  for (; from < end; from += 16, to += 64) {
    const values = v128.load(from);
    const low = i16x8.sub(i16x8.extend_low_i8x16_s(values), zero);
    const high = i16x8.sub(i16x8.extend_high_i8x16_s(values), zero);
    v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low)), scales));
    v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low)), scales), 16);
    v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high)), scales), 32);
    v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high)), scales), 48);
  }
}

// @ts-ignore: decorator
@inline
function roundToBfloat16(bits: v128): v128 {
  const upper = i32x4.shr_u(bits, 16);
  const odd = v128.and(upper, i32x4.splat(1));
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(bits, i32x4.splat(0x7fff)), odd), 16);
  const nan = i32x4.gt_s(v128.and(bits, i32x4.splat(0x7fffffff)), i32x4.splat(0x7f800000));
  // A NaN whose remaining payload is zero would turn into infinity.
  const emptied = i32x4.eq(v128.and(bits, i32x4.splat(0x7f0000)), i32x4.splat(0));
  return v128.bitselect(v128.or(upper, v128.and(emptied, i32x4.splat(0x40))), rounded, nan);
}

// @ts-ignore: decorator
@inline
function widenHalf(half: v128): v128 {
  const magnitude = v128.and(half, i32x4.splat(0x7fff));
  const shifted = i32x4.shl(magnitude, 13);
  const normal = i32x4.add(shifted, i32x4.splat(0x38000000));
  const special = v128.or(shifted, i32x4.splat(0x7f800000));
  const subnormal = f32x4.mul(f32x4.convert_i32x4_s(magnitude), f32x4.splat(reinterpret<f32>(0x33800000)));
  const small = i32x4.lt_s(magnitude, i32x4.splat(0x0400));
  const large = i32x4.ge_s(magnitude, i32x4.splat(0x7c00));
  const sign = i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16);
  return v128.or(sign, v128.bitselect(subnormal, v128.bitselect(special, normal, large), small));
}

// @ts-ignore: decorator
@inline
function roundToHalf(bits: v128): v128 {
  const magnitude = v128.and(bits, i32x4.splat(0x7fffffff));
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff - 0x38000000)), odd), 13);
  // Adding 1/2 makes the unit in the last place 2^-24, that of a subnormal half: the sum is rounded to it.
  const half = f32x4.splat(0.5);
  const subnormal = i32x4.sub(f32x4.add(magnitude, half), half);
  const small = i32x4.lt_s(magnitude, i32x4.splat(0x38800000));
  const large = i32x4.ge_s(magnitude, i32x4.splat(0x47800000));
  const nan = i32x4.gt_s(magnitude, i32x4.splat(0x7f800000));
  const payload = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(0x3ff));
  const emptied = i32x4.eq(payload, i32x4.splat(0));
  const nanPayload = v128.and(nan, v128.or(payload, v128.and(emptied, i32x4.splat(0x200))));
  const special = v128.or(i32x4.splat(0x7c00), nanPayload);
  const sign = v128.and(i32x4.shr_u(bits, 16), i32x4.splat(0x8000));
  return v128.or(sign, v128.bitselect(special, v128.bitselect(subnormal, normal, small), large));
}
