// What `measure.ts` finds, from how often each pattern occurs: exact, and in a third of the time where patterns are few.
import { add, COUNT, FRESH_ZERO, power, SIGNIFICANT, SUM_Q, SUM_Q_Q, SUM_R, SUM_R_R, SUMS_BYTES, UNKNOWN, ZERO } from './sums';

/**
 * A row for each plane that makes groups dense, and one for groups that none does: f64, Σ x and Σ x² of weights below all
 * planes; u32, the number of weights; from `KEYS` on, u32, how often each pattern occurs that has a bit in a plane, and below
 * it eight counts that are not read, of what has none.
 */
const SMALL_X: usize = 0;
const SMALL_X_X: usize = 8;
const WEIGHTS: usize = 16;
const KEYS: usize = 64;

/**
 * The sums of a tile of patterns of 16 bits with at most 7 bits of mantissa. Returns Σ x², in steps of the lowest plane.
 * @param lowest exponent field of what is 1 in the lowest plane
 * @param factor 1 / step, over the difference of the bias to that of single precision
 * @param denseFrom for each group, the plane that makes it dense; more than there are: none does
 * @param rows room for (depth + 1) · (64 + 4 · depth · 2^mantissaBits) bytes, zeros
 * @param sums zeros
 */
export function measureShort(
  patterns: usize,
  weights: u32,
  depth: u32,
  mantissaBits: u32,
  lowest: u32,
  factor: f64,
  denseFrom: usize,
  rows: usize,
  sums: usize,
): f64 {
  const octave: usize = <usize>4 << mantissaBits;
  const rowBytes = KEYS + octave * depth;
  count(patterns, weights, depth, mantissaBits, lowest, factor, denseFrom, rows, rowBytes);
  let energy: f64 = 0;
  for (let d: u32 = 0, row = rows; d <= depth; d++, row += rowBytes) {
    const all = load<u32>(row, WEIGHTS);
    if (all == 0) continue;
    let small = all;
    for (let e: u32 = 0, keys = row + KEYS; e < depth; e++, keys += octave) {
      let n = i32x4.splat(0);
      let x = n;
      let xx = n;
      let number = firstNumbers(mantissaBits);
      for (let at: usize = 0; at < octave; at += 16) {
        const counts = v128.load(keys + at);
        // Of all rows together, in the first one.
        if (d > 0) v128.store(rows + (keys - row) + at, i32x4.add(v128.load(rows + (keys - row) + at), counts));
        const product = i32x4.mul(counts, number);
        n = i32x4.add(n, counts);
        x = i32x4.add(x, product);
        xx = i32x4.add(xx, i32x4.mul(product, number));
        number = i32x4.add(number, i32x4.splat(4));
      }
      const own = <u32>total(n);
      small -= own;
      if (own == 0) continue;
      const step = power(<i32>e - <i32>mantissaBits);
      const sumXX = total(xx) * step * step;
      energy += sumXX;
      addZeros(depth, d, depth - 1 - e, own, total(x) * step, sumXX, sums);
    }
    energy += load<f64>(row, SMALL_X_X);
    addZeros(depth, d, depth, small, load<f64>(row, SMALL_X), load<f64>(row, SMALL_X_X), sums);
  }
  for (let e: u32 = 0, keys = rows + KEYS; e < depth; e++, keys += octave) {
    addSignificant(depth, mantissaBits, e, keys, octave, sums);
  }
  return energy;
}

function count(
  patterns: usize,
  weights: u32,
  depth: u32,
  mantissaBits: u32,
  lowest: u32,
  factor: f64,
  denseFrom: usize,
  rows: usize,
  rowBytes: usize,
): void {
  const first = lowest << mantissaBits;
  const firsts = i16x8.splat(<i16>first);
  // A place of its own for each of eight neighbours, so that additions do not wait for each other.
  const unread = i16x8.sub(firsts, i16x8(1, 2, 3, 4, 5, 6, 7, 8));
  const groups = (weights + 63) >> 6;
  for (let group: u32 = 0; group < groups; group++, patterns += 128) {
    const row = rows + rowBytes * <usize>min(<u32>load<u8>(denseFrom + group), depth);
    store<u32>(row, load<u32>(row, WEIGHTS) + min(64, weights - (group << 6)), WEIGHTS);
    // Where the pattern 0 would be.
    const keys = i32x4.splat(<i32>(row + KEYS - (<usize>first << 2)));
    let small: u64 = 0;
    for (let place: u32 = 0; place < 64; place += 16) {
      const at = patterns + (place << 1);
      const a = v128.and(v128.load(at), i16x8.splat(0x7fff));
      const b = v128.and(v128.load(at, 16), i16x8.splat(0x7fff));
      eightKeys(keys, i16x8.max_s(a, unread));
      eightKeys(keys, i16x8.max_s(b, unread));
      const smallA = v128.andnot(i16x8.lt_s(a, firsts), i16x8.eq(a, i16x8.splat(0)));
      const smallB = v128.andnot(i16x8.lt_s(b, firsts), i16x8.eq(b, i16x8.splat(0)));
      small |= <u64>i8x16.bitmask(i8x16.narrow_i16x8_s(smallA, smallB)) << place;
    }
    for (; small != 0; small &= small - 1) {
      const magnitude = <u32>load<u16>(patterns + (<usize>ctz(small) << 1)) & 0x7fff;
      const x = <f64>reinterpret<f32>(magnitude << (23 - mantissaBits)) * factor;
      store<f64>(row, load<f64>(row, SMALL_X) + x, SMALL_X);
      store<f64>(row, load<f64>(row, SMALL_X_X) + x * x, SMALL_X_X);
    }
  }
}

// @ts-ignore: decorator
@inline
function eightKeys(keys: v128, magnitudes: v128): void {
  fourKeys(i32x4.add(keys, i32x4.shl(i32x4.extend_low_i16x8_u(magnitudes), 2)));
  fourKeys(i32x4.add(keys, i32x4.shl(i32x4.extend_high_i16x8_u(magnitudes), 2)));
}

// @ts-ignore: decorator
@inline
function fourKeys(addresses: v128): void {
  const first = i64x2.extract_lane(addresses, 0);
  const second = i64x2.extract_lane(addresses, 1);
  increment(<usize>first);
  increment(<usize>(<u64>first >> 32));
  increment(<usize>second);
  increment(<usize>(<u64>second >> 32));
}

// @ts-ignore: decorator
@inline
function increment(at: usize): void {
  store<u32>(at, load<u32>(at) + 1);
}

/** The first four numbers of an octave, in steps of their last bits. */
// @ts-ignore: decorator
@inline
function firstNumbers(mantissaBits: u32): v128 {
  return i32x4.add(i32x4.splat(1 << mantissaBits), i32x4(0, 1, 2, 3));
}

/** Of four u32. */
// @ts-ignore: decorator
@inline
function total(four: v128): f64 {
  const both = f64x2.add(
    f64x2.convert_low_i32x4_u(four),
    f64x2.convert_low_i32x4_u(i64x2.shuffle(four, four, 1, 1)),
  );
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}

/** Weights of groups that plane `d` makes dense, to the sums of the planes above `end`, in which they are 0. */
function addZeros(depth: u32, d: u32, end: u32, count: u32, x: f64, xx: f64, sums: usize): void {
  for (let j: u32 = 0; j < end; j++, sums += SUMS_BYTES) {
    const step = power(<i32>j + 1 - <i32>depth);
    const zeros = sums + (j < d ? UNKNOWN : j == d ? FRESH_ZERO : ZERO);
    add(zeros + COUNT, <f64>count);
    add(zeros + SUM_R, x * step);
    add(zeros + SUM_R_R, xx * step * step);
  }
}

/** The weights of an octave, to the sums of the planes in which they are not 0. */
function addSignificant(depth: u32, mantissaBits: u32, e: u32, keys: usize, octave: usize, sums: usize): void {
  const mask = i32x4.splat((1 << mantissaBits) - 1);
  for (let shift: i32 = mantissaBits, level: i32 = e; level >= 0; level--, shift--) {
    // Below the ends of mantissas, Q grows, and there is no rest.
    const right = max(shift, 0);
    const rest = i32x4.shr_u(mask, mantissaBits - right);
    let n = i32x4.splat(0);
    let q = n;
    let qq = n;
    let r = n;
    let rr = n;
    let number = firstNumbers(mantissaBits);
    for (let at: usize = 0; at < octave; at += 16) {
      const counts = v128.load(keys + at);
      const whole = i32x4.shr_u(number, right);
      const part = v128.and(number, rest);
      const wholes = i32x4.mul(counts, whole);
      const parts = i32x4.mul(counts, part);
      n = i32x4.add(n, counts);
      q = i32x4.add(q, wholes);
      qq = i32x4.add(qq, i32x4.mul(wholes, whole));
      r = i32x4.add(r, parts);
      rr = i32x4.add(rr, i32x4.mul(parts, part));
      number = i32x4.add(number, i32x4.splat(4));
    }
    const own = sums + SUMS_BYTES * <usize>(depth - 1 - level);
    const step = power(right - shift);
    const unit = power(-right);
    add(own + SUM_Q, total(q) * step);
    add(own + SUM_Q_Q, total(qq) * step * step);
    add(own + SIGNIFICANT + COUNT, total(n));
    add(own + SIGNIFICANT + SUM_R, total(r) * unit);
    add(own + SIGNIFICANT + SUM_R_R, total(rr) * unit * unit);
  }
}
