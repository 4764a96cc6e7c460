// The sums from which the quality of every plane follows. `../survey.ts` says which.

import { add, FRESH_ZERO, power, SIGNIFICANT, SUM_Q, SUM_Q_Q, SUM_R, SUM_R_R, SUMS_BYTES, UNKNOWN, ZERO } from './sums';

/** Σ x and Σ x², as f64, of weights by their highest plane; four of each, for neighbours whose additions do not wait. */
const BUCKET_BYTES: usize = 16;
const LANES: u32 = 4;

/**
 * Σ Q² and Σ R² follow from how many bits two planes have in common, so numbers are not looked at for each plane. Of the
 * part of a weight below all planes, what it has in common with a plane is estimated from its mean. Sums over weights that are
 * 0 in the planes follow from the sums of those of each highest bit. Returns Σ x², in steps of the lowest coded plane.
 * @param numbers |x| in steps of the lowest of all planes
 * @param depth planes that are coded; `more` follow, which make what is estimated of the rest small
 * @param denseFrom for each group, the plane that makes it dense; more than there are: none does
 * @param dropped Σ of the squares of what is below all planes
 * @param buckets room for 16 · 4 · (depth + 1) · (depth + more + 1) bytes, zeros
 * @param pairs room for 144 · (depth + more) bytes
 */
export function measure(
  numbers: usize,
  weights: u32,
  depth: u32,
  more: u32,
  mantissaBits: u32,
  planes: usize,
  stride: usize,
  denseFrom: usize,
  dropped: f64,
  buckets: usize,
  pairs: usize,
  sums: usize,
): f64 {
  const groups = (weights + 63) >> 6;
  const all = depth + more;
  const row = BUCKET_BYTES * LANES * <usize>(all + 1);
  fillBuckets(numbers, groups, depth, more, denseFrom, buckets, row);
  countZeros(weights, depth, planes, stride, denseFrom, sums);
  let total: f64 = 0;
  let energy: f64 = 0;
  let small: f64 = 0;
  for (let d: u32 = 0, address = buckets; d <= depth; d++, address += row) {
    let sumX: f64 = 0;
    let sumXX: f64 = 0;
    for (let k: i32 = all; k >= 0; k--) {
      const bucket = address + BUCKET_BYTES * LANES * <usize>k;
      const both = f64x2.add(
        f64x2.add(v128.load(bucket), v128.load(bucket, 16)),
        f64x2.add(v128.load(bucket, 32), v128.load(bucket, 48)),
      );
      sumX += f64x2.extract_lane(both, 0);
      sumXX += f64x2.extract_lane(both, 1);
      if (<u32>k == all) small += sumX;
      if (k == 0 || <u32>k > depth) continue;
      // The sums of weights that are 0 in plane k - 1 and in those above it.
      const j = <u32>k - 1;
      const step = inverse(depth - 1 - j + more);
      const zeros = sums + SUMS_BYTES * j + (j < d ? UNKNOWN : j == d ? FRESH_ZERO : ZERO);
      add(zeros + SUM_R, sumX * step);
      add(zeros + SUM_R_R, sumXX * step * step);
    }
    total += sumX;
    energy += sumXX;
  }
  findCommon(planes, stride, groups, all, pairs);
  for (let j: u32 = 0; j < all; j++) total -= <f64>commonOf(pairs, j, j) * power(<i32>all - 1 - j);
  const nonzero = countSmall(planes, stride, groups, max(<i32>all - <i32>mantissaBits, 0), all, pairs);
  const mean = nonzero == 0 ? 0 : (total - small) / <f64>nonzero;
  addPairs(depth, more, pairs, total, mean, dropped, sums);
  // In steps of the lowest coded plane.
  return energy * inverse(more) * inverse(more);
}

/** One step of a plane over one that is `level` above it. */
// @ts-ignore: decorator
@inline
function inverse(level: u32): f64 {
  return reinterpret<f64>(<u64>(1023 - level) << 52);
}

/** Rows of buckets by what makes a group dense; in each, weights by their highest plane, at the end those of none. */
function fillBuckets(numbers: usize, groups: u32, depth: u32, more: u32, denseFrom: usize, buckets: usize, row: usize): void {
  const first = i32x4.splat(<i32>(depth + more + 126));
  const last = i32x4.splat(<i32>(depth + more));
  for (let group: u32 = 0; group < groups; group++) {
    const own = buckets + row * <usize>min(<u32>load<u8>(denseFrom + group), depth);
    for (const end = numbers + 256; numbers < end; numbers += 16) {
      const x = v128.load(numbers);
      const xx = f32x4.mul(x, x);
      // From the exponent: what is in no plane has a lower one.
      const index = i32x4.shl(i32x4.min_s(i32x4.sub(first, i32x4.shr_u(x, 23)), last), 6);
      const low = i32x4.shuffle(x, xx, 0, 4, 1, 5);
      const high = i32x4.shuffle(x, xx, 2, 6, 3, 7);
      put(own + i32x4.extract_lane(index, 0), low);
      put(own + i32x4.extract_lane(index, 1) + BUCKET_BYTES, i64x2.shuffle(low, low, 1, 1));
      put(own + i32x4.extract_lane(index, 2) + 2 * BUCKET_BYTES, high);
      put(own + i32x4.extract_lane(index, 3) + 3 * BUCKET_BYTES, i64x2.shuffle(high, high, 1, 1));
    }
  }
}

// @ts-ignore: decorator
@inline
function put(bucket: usize, both: v128): void {
  v128.store(bucket, f64x2.add(v128.load(bucket), f64x2.promote_low_f32x4(both)));
}

/** How many weights are 0 in a plane and those above it, and how many are not. */
function countZeros(weights: u32, depth: u32, planes: usize, stride: usize, denseFrom: usize, sums: usize): void {
  const groups = (weights + 63) >> 6;
  for (let group: u32 = 0; group < groups; group++, planes += 8) {
    const present = min(64, weights - (group << 6));
    const from = <u32>load<u8>(denseFrom + group);
    let seen: u64 = 0;
    for (let j: u32 = 0, plane = planes, own = sums; j < depth; j++, plane += stride, own += SUMS_BYTES) {
      seen |= load<u64>(plane);
      const count = <f64>popcnt(seen);
      add(own + SIGNIFICANT, count);
      add(own + (j < from ? UNKNOWN : j == from ? FRESH_ZERO : ZERO), <f64>present - count);
    }
  }
}

/**
 * Weights with a bit in one of the planes above `first` end above all of them. Returns how many others have a bit in any, and
 * stores with the pairs how many have one in each.
 */
function countSmall(planes: usize, stride: usize, groups: u32, first: u32, all: u32, pairs: usize): u32 {
  let any: u32 = 0;
  for (let j: u32 = 0; j < all; j++) store<u32>(pairs + SMALL + 4 * PAIR_COLUMNS * <usize>j, 0);
  for (let group: u32 = 0; group < groups; group++, planes += 8) {
    let large: u64 = 0;
    let plane = planes;
    for (let j: u32 = 0; j < first; j++, plane += stride) large |= load<u64>(plane);
    let seen: u64 = 0;
    for (let j = first, at = pairs + SMALL + 4 * PAIR_COLUMNS * <usize>first; j < all; j++, plane += stride) {
      const word = load<u64>(plane) & ~large;
      seen |= word;
      store<u32>(at, load<u32>(at) + <u32>popcnt(word));
      at += 4 * PAIR_COLUMNS;
    }
    any += <u32>popcnt(seen);
  }
  return any;
}

/** Rows of this many u32. */
const PAIR_COLUMNS: u32 = 36;
/** In a row, behind the pairs: ones among weights that may have bits below all planes. */
const SMALL: usize = 140;

/** For each plane its ones, and those that it has in common with each plane below it. */
function findCommon(planes: usize, stride: usize, groups: u32, all: u32, pairs: usize): void {
  const size = <usize>groups << 3;
  for (let j: u32 = 0, plane = planes; j < all; j++, plane += stride) {
    const row = pairs + 4 * PAIR_COLUMNS * <usize>j;
    // The last of four may be a plane that is none, whose bits are not used.
    for (let k = j; k < all; k += 4) {
      const last = planes + stride * (all - 1);
      const b = planes + stride * k;
      const c = min(b + stride, last);
      const d = min(c + stride, last);
      const e = min(d + stride, last);
      let first: u64 = 0;
      let second: u64 = 0;
      let third: u64 = 0;
      let fourth: u64 = 0;
      for (let at: usize = 0; at < size; at += 8) {
        const word = load<u64>(plane + at);
        first += popcnt(word & load<u64>(b + at));
        second += popcnt(word & load<u64>(c + at));
        third += popcnt(word & load<u64>(d + at));
        fourth += popcnt(word & load<u64>(e + at));
      }
      const out = row + (<usize>k << 2);
      store<u32>(out, <u32>first);
      store<u32>(out, <u32>second, 4);
      store<u32>(out, <u32>third, 8);
      store<u32>(out, <u32>fourth, 12);
    }
  }
}

// @ts-ignore: decorator
@inline
function commonOf(pairs: usize, j: u32, k: u32): u32 {
  return load<u32>(pairs + (<usize>(PAIR_COLUMNS * j + k) << 2));
}

/** @param sumR of what is below all planes; `mean` is that of a weight that has a bit in any, `sumRR` of its squares */
function addPairs(depth: u32, more: u32, pairs: usize, sumR: f64, mean: f64, sumRR: f64, sums: usize): void {
  const all = depth + more;
  let sumQ: f64 = 0;
  let sumQQ: f64 = 0;
  for (let j: u32 = 0, own = sums; j < depth; j++, own += SUMS_BYTES) {
    const count = <f64>commonOf(pairs, j, j);
    let common: f64 = 0;
    for (let a: u32 = 0; a < j; a++) common = 2 * common + <f64>commonOf(pairs, a, j);
    sumQ = 2 * sumQ + count;
    sumQQ = 4 * (sumQQ + common) + count;
    store<f64>(own, sumQ, SUM_Q);
    store<f64>(own, sumQQ, SUM_Q_Q);
  }
  // From the lowest plane up: each adds a bit above what is below it.
  for (let k: i32 = all - 1; k >= 0; k--) {
    const j = <u32>k;
    if (j < depth) {
      const own = sums + SUMS_BYTES * j;
      const step = inverse(depth - 1 - j + more);
      const zeroR = load<f64>(own, ZERO + SUM_R) + load<f64>(own, FRESH_ZERO + SUM_R) + load<f64>(own, UNKNOWN + SUM_R);
      const zeroRR = load<f64>(own, ZERO + SUM_R_R) + load<f64>(own, FRESH_ZERO + SUM_R_R) + load<f64>(own, UNKNOWN + SUM_R_R);
      store<f64>(own, sumR * step - zeroR, SIGNIFICANT + SUM_R);
      store<f64>(own, sumRR * step * step - zeroRR, SIGNIFICANT + SUM_R_R);
    }
    const weight = power(<i32>all - 1 - j);
    const count = <f64>commonOf(pairs, j, j);
    let common = <f64>load<u32>(pairs + SMALL + 4 * PAIR_COLUMNS * <usize>j) * mean;
    for (let m = j + 1; m < all; m++) common += <f64>commonOf(pairs, j, m) * power(<i32>all - 1 - m);
    sumRR += weight * (2 * common + weight * count);
    sumR += weight * count;
  }
}
