// Numbers to bitmaps, and the sums from which the quality of every plane follows.

/**
 * Splits groups of numbers: the magnitudes in steps of `1 / factor`, rounded down, to `magnitudes` and as bitmaps to
 * `planes`; |x| in the same steps to `numbers`, in place; signs as a bitmap; Σ x² to `energy`, f64.
 */
export function scatter(
  numbers: usize,
  groups: u32,
  factor: f32,
  depth: u32,
  planes: usize,
  stride: usize,
  signs: usize,
  magnitudes: usize,
  energy: usize,
): void {
  const factors = f32x4.splat(factor);
  const end = numbers + (<usize>groups << 8);
  const last = planes + stride * (depth - 1);
  let total: f64 = 0;
  for (let at: usize = 0; numbers < end; numbers += 64, magnitudes += 64, at += 2) {
    let sign: u32 = 0;
    let squares = f32x4.splat(0);
    for (let k: u32 = 0; k < 4; k++) {
      const value = v128.load(numbers + (k << 4));
      sign |= i32x4.bitmask(value) << (k << 2);
      const x = f32x4.mul(f32x4.abs(value), factors);
      v128.store(numbers + (k << 4), x);
      squares = f32x4.add(squares, f32x4.mul(x, x));
      v128.store(magnitudes + (k << 4), i32x4.trunc_sat_f32x4_s(x));
    }
    store<u16>(signs + at, <u16>sign);
    total += floats(squares);
    for (let shift: u32 = 0; shift < depth; shift += 8) {
      const low = i32x4.splat(0xff);
      const a = v128.and(i32x4.shr_u(v128.load(magnitudes), shift), low);
      const b = v128.and(i32x4.shr_u(v128.load(magnitudes, 16), shift), low);
      const c = v128.and(i32x4.shr_u(v128.load(magnitudes, 32), shift), low);
      const d = v128.and(i32x4.shr_u(v128.load(magnitudes, 48), shift), low);
      const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_u(a, b), i16x8.narrow_i32x4_u(c, d));
      const bits = min(8, depth - shift);
      let plane = last - stride * shift + at;
      for (let bit: u32 = 0; bit < bits; bit++, plane -= stride) {
        store<u16>(plane, <u16>i8x16.bitmask(i8x16.shl(bytes, 7 - bit)));
      }
    }
  }
  store<f64>(energy, total);
}

/** The sums of one plane, 14 f64; `src/kernels/portable/embedded/survey.ts` says which. */
export function measure(
  numbers: usize,
  magnitudes: usize,
  weights: u32,
  shift: u32,
  before: usize,
  after: usize,
  sums: usize,
): void {
  const groups = (weights + 63) >> 6;
  const zero = i32x4.splat(0);
  const step = f32x4.splat(reinterpret<f32>((127 - shift) << 23));
  for (let group: u32 = 0; group < groups; group++) {
    let zeros = i32x4.splat(0);
    let sumQ = i32x4.splat(0);
    let sumQQ = f32x4.splat(0);
    let sumR = f32x4.splat(0);
    let sumRR = f32x4.splat(0);
    let zeroR = f32x4.splat(0);
    let zeroRR = f32x4.splat(0);
    for (let end = numbers + 256; numbers < end; numbers += 16, magnitudes += 16) {
      const q = i32x4.shr_u(v128.load(magnitudes), shift);
      const f = f32x4.convert_i32x4_s(q);
      const r = f32x4.sub(f32x4.mul(v128.load(numbers), step), f);
      const rr = f32x4.mul(r, r);
      const none = i32x4.eq(q, zero);
      zeros = i32x4.sub(zeros, none);
      sumQ = i32x4.add(sumQ, q);
      sumQQ = f32x4.add(sumQQ, f32x4.mul(f, f));
      sumR = f32x4.add(sumR, v128.andnot(r, none));
      sumRR = f32x4.add(sumRR, v128.andnot(rr, none));
      zeroR = f32x4.add(zeroR, v128.and(r, none));
      zeroRR = f32x4.add(zeroRR, v128.and(rr, none));
    }
    add(sums, integers(sumQ));
    add(sums + 8, floats(sumQQ));
    const significant = 64 - integers(zeros);
    add(sums + 16, significant);
    add(sums + 24, floats(sumR));
    add(sums + 32, floats(sumRR));
    const known = load<u8>(after + group) != 0;
    const at = sums + (known ? (load<u8>(before + group) != 0 ? 40 : 64) : 88);
    // The last group is filled up with zeros that do not count.
    add(at, <f64>min(64, weights - (group << 6)) - significant);
    add(at + 8, floats(zeroR));
    add(at + 16, floats(zeroRR));
  }
}

// @ts-ignore: decorator
@inline
function add(at: usize, value: f64): void {
  store<f64>(at, load<f64>(at) + value);
}

// @ts-ignore: decorator
@inline
function integers(v: v128): f64 {
  return (
    <f64>i32x4.extract_lane(v, 0) + <f64>i32x4.extract_lane(v, 1) +
    <f64>i32x4.extract_lane(v, 2) + <f64>i32x4.extract_lane(v, 3)
  );
}

// @ts-ignore: decorator
@inline
function floats(v: v128): f64 {
  return (
    <f64>f32x4.extract_lane(v, 0) + <f64>f32x4.extract_lane(v, 1) +
    <f64>f32x4.extract_lane(v, 2) + <f64>f32x4.extract_lane(v, 3)
  );
}
