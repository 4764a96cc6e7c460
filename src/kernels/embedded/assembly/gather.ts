// Magnitudes from bitmaps of planes, of two groups at a time.

/** Where in the working memory bytes of magnitudes are; 16 zeros. */
const LOWS: usize = 512;
const MIDS: usize = 640;
const HIGHS: usize = 768;
const ZEROS: usize = 896;
/** What `gatherPair` writes and works with. */
export const GATHERED: usize = 912;

/**
 * Swaps the bits of b whose place has no bit in common with `distance` with those of a that are `distance` higher; all
 * three steps transpose matrices of 8 × 8 bits (H. S. Warren, "Hacker's Delight", 7-3), a row of each in a vector.
 * Returns what is exchanged.
 */
// @ts-ignore: decorator
@inline
function differing(a: v128, b: v128, distance: i32, mask: v128): v128 {
  return v128.and(v128.xor(i16x8.shr_u(a, distance), b), mask);
}

/** Bytes of 128 magnitudes from `count` ≤ 8 planes, the last of which is at `last`, to `out`. */
function gatherBytes(last: usize, stride: usize, count: u32, zeros: usize, out: usize): void {
  let a = v128.load(count > 0 ? last : zeros);
  let b = v128.load(count > 1 ? last - stride : zeros);
  let c = v128.load(count > 2 ? last - 2 * stride : zeros);
  let d = v128.load(count > 3 ? last - 3 * stride : zeros);
  let e = v128.load(count > 4 ? last - 4 * stride : zeros);
  let f = v128.load(count > 5 ? last - 5 * stride : zeros);
  let g = v128.load(count > 6 ? last - 6 * stride : zeros);
  let h = v128.load(count > 7 ? last - 7 * stride : zeros);
  let mask = i8x16.splat(0x0f);
  let t = differing(a, e, 4, mask);
  e = v128.xor(e, t);
  a = v128.xor(a, i16x8.shl(t, 4));
  t = differing(b, f, 4, mask);
  f = v128.xor(f, t);
  b = v128.xor(b, i16x8.shl(t, 4));
  t = differing(c, g, 4, mask);
  g = v128.xor(g, t);
  c = v128.xor(c, i16x8.shl(t, 4));
  t = differing(d, h, 4, mask);
  h = v128.xor(h, t);
  d = v128.xor(d, i16x8.shl(t, 4));
  mask = i8x16.splat(0x33);
  t = differing(a, c, 2, mask);
  c = v128.xor(c, t);
  a = v128.xor(a, i16x8.shl(t, 2));
  t = differing(b, d, 2, mask);
  d = v128.xor(d, t);
  b = v128.xor(b, i16x8.shl(t, 2));
  t = differing(e, g, 2, mask);
  g = v128.xor(g, t);
  e = v128.xor(e, i16x8.shl(t, 2));
  t = differing(f, h, 2, mask);
  h = v128.xor(h, t);
  f = v128.xor(f, i16x8.shl(t, 2));
  mask = i8x16.splat(0x55);
  t = differing(a, b, 1, mask);
  b = v128.xor(b, t);
  a = v128.xor(a, i16x8.shl(t, 1));
  t = differing(c, d, 1, mask);
  d = v128.xor(d, t);
  c = v128.xor(c, i16x8.shl(t, 1));
  t = differing(e, f, 1, mask);
  f = v128.xor(f, t);
  e = v128.xor(e, i16x8.shl(t, 1));
  t = differing(g, h, 1, mask);
  h = v128.xor(h, t);
  g = v128.xor(g, i16x8.shl(t, 1));
  // Each vector has one of eight weights.
  store32(bytePairsLow(a, b), bytePairsLow(c, d), bytePairsLow(e, f), bytePairsLow(g, h), out);
  store32(bytePairsHigh(a, b), bytePairsHigh(c, d), bytePairsHigh(e, f), bytePairsHigh(g, h), out + 64);
}

// @ts-ignore: decorator
@inline
function bytePairsLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline
function bytePairsHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** Sixty-four bytes, of which each vector has eight times two. */
// @ts-ignore: decorator
@inline
function store32(ab: v128, cd: v128, ef: v128, gh: v128, out: usize): void {
  const low = i16x8.shuffle(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11);
  const high = i16x8.shuffle(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15);
  const low2 = i16x8.shuffle(ef, gh, 0, 8, 1, 9, 2, 10, 3, 11);
  const high2 = i16x8.shuffle(ef, gh, 4, 12, 5, 13, 6, 14, 7, 15);
  v128.store(out, i32x4.shuffle(low, low2, 0, 4, 1, 5));
  v128.store(out, i32x4.shuffle(low, low2, 2, 6, 3, 7), 16);
  v128.store(out, i32x4.shuffle(high, high2, 0, 4, 1, 5), 32);
  v128.store(out, i32x4.shuffle(high, high2, 2, 6, 3, 7), 48);
}

/** The same from planes `from` to before `to`; most often, few weights are so large. */
// @ts-ignore: decorator
@inline
function gatherUpperBytes(planes: usize, stride: usize, from: u32, to: u32, zeros: usize, out: usize): void {
  let any = i8x16.splat(0);
  for (let k = from; k < to; k++) any = v128.or(any, v128.load(planes + stride * k));
  if (v128.any_true(any)) gatherBytes(planes + stride * (to - 1), stride, to - from, zeros, out);
  else memory.fill(out, 0, 128);
}

/**
 * The magnitudes of 128 weights of `depth` ≤ 24 planes, as i32, to `out`. There must be room for `GATHERED` bytes, and the
 * bitmaps are read to the end of a second group.
 */
export function gatherPair(planes: usize, stride: usize, depth: u32, out: usize): void {
  const zeros = out + ZEROS;
  v128.store(zeros, i8x16.splat(0));
  // The last eight planes make the low byte, those before them the next.
  const middle: u32 = depth > 8 ? depth - 8 : 0;
  const first: u32 = depth > 16 ? depth - 16 : 0;
  gatherBytes(planes + stride * (depth - 1), stride, depth - middle, zeros, out + LOWS);
  gatherUpperBytes(planes, stride, first, middle, zeros, out + MIDS);
  if (first > 0) gatherUpperBytes(planes, stride, 0, first, zeros, out + HIGHS);
  const end = out + 512;
  for (let from = out + LOWS; out < end; from += 16, out += 64) {
    const low = v128.load(from);
    const mid = v128.load(from, MIDS - LOWS);
    const evens = bytePairsLow(low, mid);
    const odds = bytePairsHigh(low, mid);
    let a = i32x4.extend_low_i16x8_u(evens);
    let b = i32x4.extend_high_i16x8_u(evens);
    let c = i32x4.extend_low_i16x8_u(odds);
    let d = i32x4.extend_high_i16x8_u(odds);
    if (first > 0) {
      const high = v128.load(from, HIGHS - LOWS);
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
