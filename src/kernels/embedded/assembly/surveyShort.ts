// What `surveyRows` finds, from bfloat16 patterns as they are.
import { add, increment, TABLE_BYTES, ZEROS } from './surveyCounts';

/** Exponents are counted in pairs, from the highest one down to this many below it; what is smaller, or zero, has the last place. */
const WINDOW: u32 = 15;
const INFINITY: i16 = 0x7f80;

/**
 * @param rowLength a multiple of eight
 * @param pairs room for 4096 bytes, zeros; they are zeros again at the end
 */
export function surveyShort(
  patterns: usize,
  rows: u32,
  rowLength: u32,
  exponents: usize,
  subnormals: usize,
  energies: usize,
  columns: usize,
  pairs: usize,
): void {
  // Zeros and subnormal numbers, of field 0, are never in the window.
  const highest = max(highestExponent(patterns, rows * rowLength), WINDOW);
  const highests = i16x8.splat(<i16>highest);
  const zero = i16x8.splat(0);
  let outside: u32 = 0;
  for (; rows > 0; rows--, energies += 8) {
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    let column = columns;
    for (const end = patterns + (<usize>rowLength << 1); patterns < end; patterns += 16, column += 64) {
      const magnitude = v128.and(v128.load(patterns), i16x8.splat(0x7fff));
      // What is not finite is above the highest one: a negative difference, which is large without a sign.
      const below = i16x8.min_u(i16x8.sub(highests, i16x8.shr_u(magnitude, 7)), i16x8.splat(<i16>WINDOW));
      const rare = v128.and(i16x8.eq(below, i16x8.splat(<i16>WINDOW)), i16x8.gt_s(magnitude, zero));
      if (v128.any_true(rare)) outside += countOutside(patterns, highest, exponents, subnormals);
      const keys = i32x4.dot_i16x8_s(below, i32x4.splat(0x00100001));
      const first = i64x2.extract_lane(keys, 0);
      const second = i64x2.extract_lane(keys, 1);
      increment(pairs, <u32>first);
      increment(pairs + TABLE_BYTES, <u32>(first >> 32));
      increment(pairs + 2 * TABLE_BYTES, <u32>second);
      increment(pairs + 3 * TABLE_BYTES, <u32>(second >> 32));

      const finite = v128.and(magnitude, i16x8.lt_s(magnitude, i16x8.splat(INFINITY)));
      const front = i16x8.shuffle(zero, finite, 0, 8, 1, 9, 2, 10, 3, 11);
      const back = i16x8.shuffle(zero, finite, 4, 12, 5, 13, 6, 14, 7, 15);
      const a = squares(front);
      const b = squares(i64x2.shuffle(front, front, 1, 1));
      const c = squares(back);
      const d = squares(i64x2.shuffle(back, back, 1, 1));
      low = f64x2.add(f64x2.add(low, a), c);
      high = f64x2.add(f64x2.add(high, b), d);
      v128.store(column, f64x2.add(v128.load(column), a));
      v128.store(column, f64x2.add(v128.load(column, 16), b), 16);
      v128.store(column, f64x2.add(v128.load(column, 32), c), 32);
      v128.store(column, f64x2.add(v128.load(column, 48), d), 48);
    }
    const both = f64x2.add(low, high);
    store<f64>(energies, f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1));
  }
  const zeros = takePairs(pairs, highest, exponents) - outside;
  add(exponents, 0, zeros);
  store<u32>(subnormals, load<u32>(subnormals, ZEROS) + zeros, ZEROS);
}

/** The highest exponent field of a finite number. */
function highestExponent(patterns: usize, count: u32): u32 {
  let most = i16x8.splat(0);
  for (const end = patterns + (<usize>count << 1); patterns < end; patterns += 16) {
    const magnitude = v128.and(v128.load(patterns), i16x8.splat(0x7fff));
    most = i16x8.max_s(most, v128.and(magnitude, i16x8.lt_s(magnitude, i16x8.splat(INFINITY))));
  }
  most = i16x8.max_s(most, i64x2.shuffle(most, most, 1, 0));
  most = i16x8.max_s(most, i32x4.shuffle(most, most, 1, 0, 3, 2));
  return <u32>max(i16x8.extract_lane_s(most, 0), i16x8.extract_lane_s(most, 1)) >> 7;
}

/** Counts those of eight numbers that are not zero, and not in the window; returns how many. */
function countOutside(patterns: usize, highest: u32, exponents: usize, subnormals: usize): u32 {
  let outside: u32 = 0;
  for (let k: usize = 0; k < 16; k += 2) {
    const magnitude = <u32>load<u16>(patterns + k) & 0x7fff;
    const exponent = magnitude >> 7;
    if (magnitude == 0 || highest - exponent < WINDOW) continue;
    outside += 1;
    increment(exponents, exponent);
    // The mantissa is the upper part of one in single precision.
    if (exponent == 0) increment(subnormals, 47 - clz(magnitude));
  }
  return outside;
}

/** Adds what has been counted in pairs, and clears it; returns how many numbers have had the last place. */
function takePairs(pairs: usize, highest: u32, exponents: usize): u32 {
  let unseen: u32 = 0;
  for (let key: u32 = 0; key < 256; key++) {
    let count: u32 = 0;
    for (let table = pairs; table < pairs + 4 * TABLE_BYTES; table += TABLE_BYTES) {
      count += load<u32>(table + (<usize>key << 2));
      store<u32>(table + (<usize>key << 2), 0);
    }
    if (count == 0) continue;
    for (let both = key | 0x100; both > 1; both >>= 4) {
      const below = both & 15;
      if (below == WINDOW) unseen += count;
      else add(exponents, highest - below, count);
    }
  }
  return unseen;
}

// @ts-ignore: decorator
@inline
function squares(numbers: v128): v128 {
  const two = f64x2.promote_low_f32x4(numbers);
  return f64x2.mul(two, two);
}
