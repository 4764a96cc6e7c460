// The sums from which the quality of every plane follows.

/** Bytes of the sums of a plane: 14 f64, `../survey.ts` says which. */
const SUMS_BYTES: usize = 112;
const SUM_Q: usize = 0;
const SUM_Q_Q: usize = 8;
const SIGNIFICANT: usize = 16;
const ZERO: usize = 40;
const FRESH_ZERO: usize = 64;
const UNKNOWN: usize = 88;

/**
 * Adds up all planes of a tile, group by group, so that numbers stay near.
 * @param numbers |x| in steps of the lowest plane
 * @param denseFrom for each group, the plane that makes it dense; more than there are: none does
 */
export function measure(
  numbers: usize,
  weights: u32,
  depth: u32,
  planes: usize,
  stride: usize,
  denseFrom: usize,
  sums: usize,
): void {
  const groups = (weights + 63) >> 6;
  for (let group: u32 = 0; group < groups; group++, numbers += 256, planes += 8) {
    const present = min(64, weights - (group << 6));
    const from = <u32>load<u8>(denseFrom + group);
    let total = f64x2.splat(0);
    let energy = f64x2.splat(0);
    for (let at = numbers; at < numbers + 256; at += 8) {
      const x = f64x2.promote_low_f32x4(v128.load64_zero(at));
      total = f64x2.add(total, x);
      energy = f64x2.add(energy, f64x2.mul(x, x));
    }
    const sumX = f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
    const sumXX = f64x2.extract_lane(energy, 0) + f64x2.extract_lane(energy, 1);
    let seen: u64 = 0;
    let sumQ: f64 = 0;
    let own = sums;
    let plane = planes;
    for (let j: u32 = 0; j < depth; j++, own += SUMS_BYTES, plane += stride) {
      const step = reinterpret<f32>((128 + j - depth) << 23);
      const word = load<u64>(plane);
      seen |= word;
      sumQ = 2 * sumQ + <f64>popcnt(word);
      const zeros = own + (j < from ? UNKNOWN : j == from ? FRESH_ZERO : ZERO);
      // Σ R = Σ X - Σ Q
      const sumR = sumX * <f64>step - sumQ;
      if (seen == 0) {
        add3(zeros, <f64>present, sumR, sumXX * <f64>step * <f64>step);
        continue;
      }
      const parts = addUp(numbers, step);
      const count = <f64>popcnt(seen);
      const sumRR = <f64>f32x4.extract_lane(parts, 1);
      const zeroR = <f64>f32x4.extract_lane(parts, 2);
      const zeroRR = <f64>f32x4.extract_lane(parts, 3);
      add(own + SUM_Q, sumQ);
      add(own + SUM_Q_Q, <f64>f32x4.extract_lane(parts, 0));
      add3(own + SIGNIFICANT, count, sumR - zeroR, sumRR - zeroRR);
      add3(zeros, <f64>present - count, zeroR, zeroRR);
    }
  }
}

/** Of 64 numbers in steps: Σ Q², Σ R², and of those with Q = 0 Σ R and Σ R². */
// @ts-ignore: decorator
@inline
function addUp(numbers: usize, step: f32): v128 {
  const steps = f32x4.splat(step);
  const zero = f32x4.splat(0);
  let sumQQ = zero;
  let sumRR = zero;
  let zeroR = zero;
  let zeroRR = zero;
  for (let at = numbers; at < numbers + 256; at += 16) {
    const x = f32x4.mul(v128.load(at), steps);
    const q = f32x4.floor(x);
    const r = f32x4.sub(x, q);
    const rr = f32x4.mul(r, r);
    const none = f32x4.eq(q, zero);
    sumQQ = f32x4.add(sumQQ, f32x4.mul(q, q));
    sumRR = f32x4.add(sumRR, rr);
    zeroR = f32x4.add(zeroR, v128.and(r, none));
    zeroRR = f32x4.add(zeroRR, v128.and(rr, none));
  }
  // Four sums across their vectors at once.
  const a = f32x4.add(i32x4.shuffle(sumQQ, sumRR, 0, 4, 1, 5), i32x4.shuffle(sumQQ, sumRR, 2, 6, 3, 7));
  const b = f32x4.add(i32x4.shuffle(zeroR, zeroRR, 0, 4, 1, 5), i32x4.shuffle(zeroR, zeroRR, 2, 6, 3, 7));
  return f32x4.add(i64x2.shuffle(a, b, 0, 2), i64x2.shuffle(a, b, 1, 3));
}

// @ts-ignore: decorator
@inline
function add(at: usize, value: f64): void {
  store<f64>(at, load<f64>(at) + value);
}

/** How many weights, Σ R, Σ R². */
// @ts-ignore: decorator
@inline
function add3(at: usize, count: f64, sumR: f64, sumRR: f64): void {
  add(at, count);
  add(at + 8, sumR);
  add(at + 16, sumRR);
}
