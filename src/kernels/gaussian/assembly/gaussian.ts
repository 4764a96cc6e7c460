// Passes over rows of a Gaussian matrix that is never stored: see `Kernels.gaussianRows`. The generator is sequential,
// but linear over GF(2), so a matrix throws it ahead: each of four lanes draws a quarter of every row. Column
// l × quarter + q of the matrix is in lane l of vector q, in the f64 arrays as in the row; lanes may reach beyond the
// last column, where what they draw is of no account.

import { apply, power, stepBoth } from './generator';
import { normals } from './normals';

const LANES: usize = 4;
/** The states of a row: a u64 a lane. */
const STATES: usize = 8 * LANES;
/** Four f32 in the row, four f64 in the other arrays. */
const ROW_VECTOR: usize = 16;
const VECTOR: usize = 32;

/** Writes the matrix (64 × u64) that takes the generator `steps` steps ahead. Scratch: 1024 bytes. */
export function jump(steps: u32, matrix: usize, scratch: usize): void {
  power(steps, matrix, scratch);
}

/** From the state (u64) of lane 0, those of lanes 1 to 3: each a jump behind the one before. */
export function spread(states: usize, matrix: usize): void {
  for (let at: usize = 8; at < STATES; at += 8) store<u64>(states + at, apply(matrix, load<u64>(states + at - 8)));
}

/**
 * For each row: with `data` (else 0), product = row · data; then sums += row × product and, with `squares` (else 0),
 * squares += row². `matrix` takes a state from the start of a row to that of the next. Rows go by pairs, for which
 * `states` and `pair` have room: that halves the traffic of the sums and keeps more operations in flight.
 */
export function rows(
  count: usize, quarter: usize, states: usize, matrix: usize,
  data: usize, products: usize, sums: usize, squares: usize, pair: usize,
): void {
  const second = pair + quarter * ROW_VECTOR;
  const end = products + 8 * count;
  for (; products < end; products += 16) {
    advance(states, states + STATES, matrix);
    draw(quarter, states, pair, second);
    advance(states + STATES, states, matrix);
    const single = products + 8 == end;
    if (single) memory.fill(second, 0, quarter * ROW_VECTOR);
    if (data) {
      store<f64>(products, dot(quarter, pair, data));
      if (!single) store<f64>(products, dot(quarter, second, data), 8);
    }
    accumulate(quarter, pair, second, load<f64>(products), single ? 0 : load<f64>(products, 8), sums, squares);
  }
}

function advance(from: usize, to: usize, matrix: usize): void {
  for (let at: usize = 0; at < STATES; at += 8) store<u64>(to + at, apply(matrix, load<u64>(from + at)));
}

function draw(quarter: usize, states: usize, first: usize, second: usize): void {
  let a = v128.load(states);
  let b = v128.load(states, 16);
  let c = v128.load(states, 32);
  let d = v128.load(states, 48);
  const end = first + quarter * ROW_VECTOR;
  for (; first < end; first += ROW_VECTOR, second += ROW_VECTOR) {
    a = stepBoth(a);
    b = stepBoth(b);
    c = stepBoth(c);
    d = stepBoth(d);
    const ab = v128.shuffle<i32>(a, b, 1, 3, 5, 7);
    const cd = v128.shuffle<i32>(c, d, 1, 3, 5, 7);
    a = stepBoth(a);
    b = stepBoth(b);
    c = stepBoth(c);
    d = stepBoth(d);
    v128.store(first, normals(ab, v128.shuffle<i32>(a, b, 1, 3, 5, 7)));
    v128.store(second, normals(cd, v128.shuffle<i32>(c, d, 1, 3, 5, 7)));
  }
}

function dot(quarter: usize, row: usize, data: usize): f64 {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  const end = row + quarter * ROW_VECTOR;
  for (; row < end; row += ROW_VECTOR, data += VECTOR) {
    const values = v128.load(row);
    a = f64x2.add(a, f64x2.mul(low(values), v128.load(data)));
    b = f64x2.add(b, f64x2.mul(high(values), v128.load(data, 16)));
  }
  const sum = f64x2.add(a, b);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

function accumulate(
  quarter: usize, first: usize, second: usize, product1: f64, product2: f64, sums: usize, squares: usize,
): void {
  const factor1 = f64x2.splat(product1);
  const factor2 = f64x2.splat(product2);
  const end = first + quarter * ROW_VECTOR;
  for (; first < end; first += ROW_VECTOR, second += ROW_VECTOR, sums += VECTOR) {
    const values1 = v128.load(first);
    const values2 = v128.load(second);
    const low1 = low(values1);
    const low2 = low(values2);
    const high1 = high(values1);
    const high2 = high(values2);
    add(sums, f64x2.mul(low1, factor1), f64x2.mul(low2, factor2));
    add(sums + 16, f64x2.mul(high1, factor1), f64x2.mul(high2, factor2));
    if (squares) {
      add(squares, f64x2.mul(low1, low1), f64x2.mul(low2, low2));
      add(squares + 16, f64x2.mul(high1, high1), f64x2.mul(high2, high2));
      squares += VECTOR;
    }
  }
}

// @ts-ignore: decorator
@inline
function add(at: usize, a: v128, b: v128): void {
  v128.store(at, f64x2.add(v128.load(at), f64x2.add(a, b)));
}

// @ts-ignore: decorator
@inline
function low(values: v128): v128 {
  return f64x2.promote_low_f32x4(values);
}

// @ts-ignore: decorator
@inline
function high(values: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(values, values, 1, 1));
}
