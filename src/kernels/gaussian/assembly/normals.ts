// Standard normals of two uniform numbers each (Box–Muller), four at a time, in f32: within 1e-6 of
// `SeededRng.nextNormal`, which rounds at the same places. The series are those of Taylor, cut off where the next term
// is below half a unit in the last place.

/** The smallest uniform number that has a logarithm here, as in `../rng.ts`. */
const SMALLEST_UNIFORM: f32 = 1e-10;
const TWO_PI: f32 = 6.2831855;
const LN2: f32 = 0.6931472;
/** Bits of sqrt(1/2): from here up to sqrt(2) mantissas are taken, so that the series of ln is short. */
const SQRT_HALF_BITS: i32 = 0x3f3504f3;
/** π/2 in two parts; the first has so few bits that its multiples are exact. */
const HALF_PI_HIGH: f32 = 1.57079315185546875;
const HALF_PI_LOW: f32 = 3.174939427807999e-6;

/** @param first, second 32 random bits a lane, of which the upper 24 count */
// @ts-ignore: decorator
@inline
export function normals(first: v128, second: v128): v128 {
  const u = f32x4.max(uniform(first), f32x4.splat(SMALLEST_UNIFORM));
  const radius = f32x4.sqrt(f32x4.mul(f32x4.splat(-2), ln(u)));
  return f32x4.mul(radius, cos(f32x4.mul(f32x4.splat(TWO_PI), uniform(second))));
}

// @ts-ignore: decorator
@inline
function uniform(bits: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_u(i32x4.shr_u(bits, 8)), f32x4.splat(1.0 / 16777216.0));
}

/** ln(2^e m) = e ln 2 + 2 artanh s, s = (m − 1) / (m + 1), |s| < 0.172. */
// @ts-ignore: decorator
@inline
function ln(x: v128): v128 {
  const exponent = i32x4.shr_s(i32x4.sub(x, i32x4.splat(SQRT_HALF_BITS)), 23);
  const mantissa = i32x4.sub(x, i32x4.shl(exponent, 23));
  const one = f32x4.splat(1);
  const s = f32x4.div(f32x4.sub(mantissa, one), f32x4.add(mantissa, one));
  const z = f32x4.mul(s, s);
  let series = f32x4.add(f32x4.splat(2.0 / 7.0), f32x4.mul(z, f32x4.splat(2.0 / 9.0)));
  series = f32x4.add(f32x4.splat(2.0 / 5.0), f32x4.mul(z, series));
  series = f32x4.add(f32x4.splat(2.0 / 3.0), f32x4.mul(z, series));
  series = f32x4.add(f32x4.splat(2), f32x4.mul(z, series));
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(exponent), f32x4.splat(LN2)), f32x4.mul(s, series));
}

/** For 0 ≤ x ≤ 2π: the nearest multiple q of π/2 decides between ±cos r and ±sin r, |r| ≤ π/4. */
// @ts-ignore: decorator
@inline
function cos(x: v128): v128 {
  const q = f32x4.nearest(f32x4.mul(x, f32x4.splat(0.63661975)));
  const high = f32x4.sub(x, f32x4.mul(q, f32x4.splat(HALF_PI_HIGH)));
  const r = f32x4.sub(high, f32x4.mul(q, f32x4.splat(HALF_PI_LOW)));
  const z = f32x4.mul(r, r);
  const one = f32x4.splat(1);
  let even = f32x4.add(f32x4.splat(-1.0 / 720.0), f32x4.mul(z, f32x4.splat(1.0 / 40320.0)));
  even = f32x4.add(f32x4.splat(1.0 / 24.0), f32x4.mul(z, even));
  even = f32x4.add(f32x4.splat(-0.5), f32x4.mul(z, even));
  even = f32x4.add(one, f32x4.mul(z, even));
  let odd = f32x4.add(f32x4.splat(-1.0 / 5040.0), f32x4.mul(z, f32x4.splat(1.0 / 362880.0)));
  odd = f32x4.add(f32x4.splat(1.0 / 120.0), f32x4.mul(z, odd));
  odd = f32x4.add(f32x4.splat(-1.0 / 6.0), f32x4.mul(z, odd));
  odd = f32x4.mul(r, f32x4.add(one, f32x4.mul(z, odd)));
  const quadrant = i32x4.trunc_sat_f32x4_s(q);
  const isOdd = i32x4.eq(v128.and(quadrant, i32x4.splat(1)), i32x4.splat(1));
  // cos, −sin, −cos, sin, and cos again: negative in quadrants 1 and 2, where bit 1 of q + 1 is set.
  const sign = i32x4.shl(v128.and(i32x4.add(quadrant, i32x4.splat(1)), i32x4.splat(2)), 30);
  return v128.xor(v128.bitselect(odd, even, isOdd), sign);
}
