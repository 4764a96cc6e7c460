// Patterns of elements to single-precision numbers, and their statistics.
import { increment, TABLE_BYTES, ZEROS } from './surveyCounts';

/**
 * Floats of 16 bits, the highest of which is the sign, `count` of them, a multiple of 8. `scale` is 2 to the power of the difference of the biases. NaNs and
 * infinities become infinities.
 */
export function widenShort(
  patterns: usize,
  count: u32,
  mantissaBits: u32,
  exponentBits: u32,
  scale: f32,
  numbers: usize,
): void {
  const special = ((1 << exponentBits) - 1) << 23;
  const end = patterns + (<usize>count << 1);
  for (; patterns < end; patterns += 16, numbers += 32) {
    const eight = v128.load(patterns);
    v128.store(numbers, widen(i32x4.extend_low_i16x8_u(eight), mantissaBits, special, scale));
    v128.store(numbers, widen(i32x4.extend_high_i16x8_u(eight), mantissaBits, special, scale), 16);
  }
}

// @ts-ignore: decorator
@inline
function widen(pattern: v128, mantissaBits: u32, special: i32, scale: f32): v128 {
  const shift = 23 - mantissaBits;
  const magnitude = i32x4.shl(v128.and(pattern, i32x4.splat(0x7fff)), shift);
  const infinite = i32x4.ge_s(magnitude, i32x4.splat(special));
  const number = f32x4.mul(magnitude, f32x4.splat(scale));
  const sign = i32x4.shl(i32x4.shr_u(pattern, 15), 31);
  return v128.or(v128.bitselect(i32x4.splat(0x7f800000), number, infinite), sign);
}

/**
 * Adds rows of numbers to what is known of a tensor.
 * @param exponents four times 256 u32: numbers by their exponent field, 0 for those that are counted below
 * @param subnormals 23 u32, by their highest bit, then one of zeros
 * @param energies f64, Σ x² of each row, which is set
 * @param columns f64, the same of each column, to which is added
 */
export function surveyRows(
  numbers: usize,
  rows: u32,
  rowLength: u32,
  exponents: usize,
  subnormals: usize,
  energies: usize,
  columns: usize,
): void {
  for (; rows > 0; rows--, energies += 8) {
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    let column = columns;
    let left = rowLength;
    for (; left >= 4; left -= 4, numbers += 16, column += 32) {
      const number = v128.load(numbers);
      const magnitude = v128.and(number, i32x4.splat(0x7fffffff));
      const exponent = i32x4.shr_u(magnitude, 23);
      increment(exponents, i32x4.extract_lane(exponent, 0));
      increment(exponents + TABLE_BYTES, i32x4.extract_lane(exponent, 1));
      increment(exponents + 2 * TABLE_BYTES, i32x4.extract_lane(exponent, 2));
      increment(exponents + 3 * TABLE_BYTES, i32x4.extract_lane(exponent, 3));
      if (!i32x4.all_true(exponent)) {
        countSmall(subnormals, i32x4.extract_lane(magnitude, 0));
        countSmall(subnormals, i32x4.extract_lane(magnitude, 1));
        countSmall(subnormals, i32x4.extract_lane(magnitude, 2));
        countSmall(subnormals, i32x4.extract_lane(magnitude, 3));
      }
      const finite = v128.and(magnitude, i32x4.lt_s(magnitude, i32x4.splat(0x7f800000)));
      let a = f64x2.promote_low_f32x4(finite);
      let b = f64x2.promote_low_f32x4(i64x2.shuffle(finite, finite, 1, 1));
      a = f64x2.mul(a, a);
      b = f64x2.mul(b, b);
      low = f64x2.add(low, a);
      high = f64x2.add(high, b);
      v128.store(column, f64x2.add(v128.load(column), a));
      v128.store(column, f64x2.add(v128.load(column, 16), b), 16);
    }
    const both = f64x2.add(low, high);
    let energy = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
    for (; left > 0; left--, numbers += 4, column += 8) {
      const magnitude = load<u32>(numbers) & 0x7fffffff;
      increment(exponents, magnitude >> 23);
      countSmall(subnormals, magnitude);
      if (magnitude >= 0x7f800000) continue;
      const value = <f64>reinterpret<f32>(magnitude);
      energy += value * value;
      store<f64>(column, load<f64>(column) + value * value);
    }
    store<f64>(energies, energy);
  }
}

// @ts-ignore: decorator
@inline
function countSmall(subnormals: usize, magnitude: u32): void {
  if (magnitude >= 0x800000) return;
  if (magnitude == 0) store<u32>(subnormals, load<u32>(subnormals, ZEROS) + 1, ZEROS);
  else increment(subnormals, 31 - clz(magnitude));
}
