// The sums of a plane, as `../survey.ts` lays them out: 14 f64.

export const SUMS_BYTES: usize = 112;
export const SUM_Q: usize = 0;
export const SUM_Q_Q: usize = 8;
/** Three each. */
export const SIGNIFICANT: usize = 16;
export const ZERO: usize = 40;
export const FRESH_ZERO: usize = 64;
export const UNKNOWN: usize = 88;
/** Of the three. */
export const COUNT: usize = 0;
export const SUM_R: usize = 8;
export const SUM_R_R: usize = 16;

// @ts-ignore: decorator
@inline
export function add(at: usize, value: f64): void {
  store<f64>(at, load<f64>(at) + value);
}

/** 2^exponent. */
// @ts-ignore: decorator
@inline
export function power(exponent: i32): f64 {
  return reinterpret<f64>(<u64>(1023 + exponent) << 52);
}
