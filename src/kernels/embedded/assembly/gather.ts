// Sixteen weights at a time from bitmaps of planes to numbers.

/** A mask for each of 16 weights: all ones where its bit of the 16 at `address` is set. */
// @ts-ignore: decorator
@inline
function expand(address: usize): v128 {
  const pair = v128.load16_splat(address);
  const bits = i8x16.shuffle(pair, pair, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  const places = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
  return i8x16.eq(v128.and(bits, places), places);
}

/** Bits of planes `from` to before `to` (at most 8) of 16 weights, as bytes; plane k lies at `planes + k * stride`. */
// @ts-ignore: decorator
@inline
function gatherBytes(planes: usize, stride: usize, from: u32, to: u32): v128 {
  let sum = i8x16.splat(0);
  let address = planes + stride * from;
  for (let k = from; k < to; k++, address += stride) {
    sum = i8x16.sub(i8x16.add(sum, sum), expand(address));
  }
  return sum;
}

/** Transposes the two 8×8 bit matrices in the halves of a vector (H. S. Warren, "Hacker's Delight", 7-3). */
// @ts-ignore: decorator
@inline
function transpose(x: v128): v128 {
  let t = v128.and(v128.xor(x, i64x2.shr_u(x, 7)), i64x2.splat(0x00aa00aa00aa00aa));
  x = v128.xor(v128.xor(x, t), i64x2.shl(t, 7));
  t = v128.and(v128.xor(x, i64x2.shr_u(x, 14)), i64x2.splat(0x0000cccc0000cccc));
  x = v128.xor(v128.xor(x, t), i64x2.shl(t, 14));
  t = v128.and(v128.xor(x, i64x2.shr_u(x, 28)), i64x2.splat(0x00000000f0f0f0f0));
  return v128.xor(v128.xor(x, t), i64x2.shl(t, 28));
}

/** Two groups' bitmaps, from `high` and from `low`, byte by byte in turns. */
// @ts-ignore: decorator
@inline
function interleaveBytes(low: usize, high: usize): v128 {
  const both = v128.load64_lane(high, v128.load64_zero(low), 1);
  return i8x16.swizzle(both, i8x16(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15));
}

/** The low bytes of 64 magnitudes, from the last eight planes, the last of which is at `last`, to `out`. */
// @ts-ignore: decorator
@inline
function gatherLowBytes(last: usize, stride: usize, out: usize): void {
  const a = interleaveBytes(last, last - stride);
  const b = interleaveBytes(last - 2 * stride, last - 3 * stride);
  const c = interleaveBytes(last - 4 * stride, last - 5 * stride);
  const d = interleaveBytes(last - 6 * stride, last - 7 * stride);
  const ab = i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  const AB = i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  const cd = i16x8.shuffle(c, d, 0, 8, 1, 9, 2, 10, 3, 11);
  const CD = i16x8.shuffle(c, d, 4, 12, 5, 13, 6, 14, 7, 15);
  v128.store(out, transpose(i32x4.shuffle(ab, cd, 0, 4, 1, 5)));
  v128.store(out, transpose(i32x4.shuffle(ab, cd, 2, 6, 3, 7)), 16);
  v128.store(out, transpose(i32x4.shuffle(AB, CD, 0, 4, 1, 5)), 32);
  v128.store(out, transpose(i32x4.shuffle(AB, CD, 2, 6, 3, 7)), 48);
}

/** Bytes of 64 magnitudes from planes `from` to before `to`, at most eight, to `out`. */
// @ts-ignore: decorator
@inline
function gatherUpperBytes(planes: usize, stride: usize, from: u32, to: u32, out: usize): void {
  let any: u64 = 0;
  for (let k = from; k < to; k++) any |= load<u64>(planes + stride * k);
  if (any == 0) {
    // Most often: few weights are that large.
    for (let part: u32 = 0; part < 64; part += 16) v128.store(out + part, i8x16.splat(0));
    return;
  }
  for (let part: u32 = 0; part < 4; part++, planes += 2) v128.store(out + (part << 4), gatherBytes(planes, stride, from, to));
}

/** The magnitudes of 64 weights of `depth` ≤ 24 planes, as i32, to `out`; there must be room for 192 bytes more. */
export function gatherGroup(planes: usize, stride: usize, depth: u32, out: usize): void {
  // The last eight planes make the low byte, those before them the next.
  const middle: u32 = depth > 8 ? depth - 8 : 0;
  const first: u32 = depth > 16 ? depth - 16 : 0;
  const lows = out + 256;
  const mids = out + 320;
  const highs = out + 384;
  if (depth >= 8) gatherLowBytes(planes + stride * (depth - 1), stride, lows);
  else gatherUpperBytes(planes, stride, 0, depth, lows);
  gatherUpperBytes(planes, stride, first, middle, mids);
  if (first > 0) gatherUpperBytes(planes, stride, 0, first, highs);
  for (let part: u32 = 0; part < 64; part += 16, out += 64) {
    const low = v128.load(lows + part);
    const mid = v128.load(mids + part);
    const evens = i8x16.shuffle(low, mid, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const odds = i8x16.shuffle(low, mid, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    let a = i32x4.extend_low_i16x8_u(evens);
    let b = i32x4.extend_high_i16x8_u(evens);
    let c = i32x4.extend_low_i16x8_u(odds);
    let d = i32x4.extend_high_i16x8_u(odds);
    if (first > 0) {
      const high = v128.load(highs + part);
      const h0 = i16x8.extend_low_i8x16_u(high);
      const h1 = i16x8.extend_high_i8x16_u(high);
      a = v128.or(a, i32x4.shl(i32x4.extend_low_i16x8_u(h0), 16));
      b = v128.or(b, i32x4.shl(i32x4.extend_high_i16x8_u(h0), 16));
      c = v128.or(c, i32x4.shl(i32x4.extend_low_i16x8_u(h1), 16));
      d = v128.or(d, i32x4.shl(i32x4.extend_high_i16x8_u(h1), 16));
    }
    v128.store(out, a);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
  }
}

/** The sign bits of four f32 lanes: bits `shift` to `shift` + 3 of `bits`. */
// @ts-ignore: decorator
@inline
export function signLanes(bits: u32): v128 {
  const lanes = v128.and(i32x4.splat(bits), i32x4(1, 2, 4, 8));
  return v128.and(i32x4.ne(lanes, i32x4.splat(0)), i32x4.splat(0x80000000));
}
