// Eight rows to and from the lanes of complex numbers: rows 0 to 3 are the real parts, rows 4 to 7 the imaginary ones.
// Four columns at a time, each four rows a 4 × 4 transposition.
//
// "Folded" is the order that turns.ts asks for: the elements 0, 2, 4, … and then the odd ones backwards. So the even
// elements move up from the front and the odd ones down from the end.

import { COMPLEX } from './complex';

/**
 * Eight rows of n floats, `stride` bytes apart, to n complex numbers; in folded order where `fold`. Reads up to 12
 * bytes past each row.
 */
export function gatherRows(rows: usize, stride: usize, n: usize, to: usize, fold: bool): void {
  const step: isize = fold ? COMPLEX : 2 * COMPLEX;
  const down: isize = fold ? -(<isize>COMPLEX) : 2 * COMPLEX;
  let even = to, odd = fold ? to + (n - 1) * COMPLEX : to + COMPLEX;
  for (let i: usize = 0; i < n; i += 4, rows += 16) {
    const left = n - i;
    gatherFour(rows, stride, even, odd, step, down, left);
    gatherFour(rows + 4 * stride, stride, even + 16, odd + 16, step, down, left);
    even += 2 * step;
    odd += 2 * down;
  }
}

// @ts-ignore: decorator
@inline
function gatherFour(rows: usize, stride: usize, even: usize, odd: usize, step: isize, down: isize, left: usize): void {
  const a = v128.load(rows), b = v128.load(rows + stride);
  const c = v128.load(rows + 2 * stride), d = v128.load(rows + 3 * stride);
  const abLow = v128.shuffle<u32>(a, b, 0, 4, 1, 5), abHigh = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cdLow = v128.shuffle<u32>(c, d, 0, 4, 1, 5), cdHigh = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(even, v128.shuffle<u64>(abLow, cdLow, 0, 2));
  if (left >= 4) {
    v128.store(odd, v128.shuffle<u64>(abLow, cdLow, 1, 3));
    v128.store(even + step, v128.shuffle<u64>(abHigh, cdHigh, 0, 2));
    v128.store(odd + down, v128.shuffle<u64>(abHigh, cdHigh, 1, 3));
  } else {
    if (left > 1) v128.store(odd, v128.shuffle<u64>(abLow, cdLow, 1, 3));
    if (left > 2) v128.store(even + step, v128.shuffle<u64>(abHigh, cdHigh, 0, 2));
  }
}

/**
 * n complex numbers to eight rows of a matrix in blocks of eight columns: `places` says which row of its block each of
 * the eight becomes. With `unfold`, the numbers are in folded order, and rows 0 to 3 are the imaginary parts. The last
 * block is filled up with zeros: a column shares its transform with another one, which anything larger would disturb.
 * `scratch` has room for eight complex numbers.
 */
export function scatterRows(
  from: usize, n: usize, unfold: bool, blocks: usize, blockBytes: usize, places: usize, scratch: usize,
): void {
  let step: isize = unfold ? COMPLEX : 2 * COMPLEX;
  let down: isize = unfold ? -(<isize>COMPLEX) : 2 * COMPLEX;
  let even = from, odd = unfold ? from + (n - 1) * COMPLEX : from + COMPLEX;
  for (let i: usize = 0; i < n; i += 8, blocks += blockBytes) {
    if (i + 8 > n) {
      memory.fill(scratch, 0, 8 * COMPLEX);
      for (let to = scratch; i < n; i += 2, to += 2 * COMPLEX) {
        memory.copy(to, even, COMPLEX);
        if (i + 1 < n) memory.copy(to + COMPLEX, odd, COMPLEX);
        even += step;
        odd += down;
      }
      even = scratch, odd = scratch + COMPLEX;
      step = 2 * COMPLEX, down = 2 * COMPLEX;
    }
    scatterEight(even, odd, step, down, unfold, blocks, places);
    even += 4 * step;
    odd += 4 * down;
  }
}

// @ts-ignore: decorator
@inline
function scatterEight(
  even: usize, odd: usize, step: isize, down: isize, exchanged: bool, block: usize, places: usize,
): void {
  const upper: usize = exchanged ? 16 : 0, lower: usize = exchanged ? 0 : 16;
  const row0 = block + load<u32>(places) * COMPLEX, row1 = block + load<u32>(places, 4) * COMPLEX;
  const row2 = block + load<u32>(places, 8) * COMPLEX, row3 = block + load<u32>(places, 12) * COMPLEX;
  const row4 = block + load<u32>(places, 16) * COMPLEX, row5 = block + load<u32>(places, 20) * COMPLEX;
  const row6 = block + load<u32>(places, 24) * COMPLEX, row7 = block + load<u32>(places, 28) * COMPLEX;
  scatterFour(even + upper, odd + upper, step, down, row0, row1, row2, row3);
  scatterFour(even + lower, odd + lower, step, down, row4, row5, row6, row7);
  even += 2 * step;
  odd += 2 * down;
  scatterFour(even + upper, odd + upper, step, down, row0 + 16, row1 + 16, row2 + 16, row3 + 16);
  scatterFour(even + lower, odd + lower, step, down, row4 + 16, row5 + 16, row6 + 16, row7 + 16);
}

// @ts-ignore: decorator
@inline
function scatterFour(
  even: usize, odd: usize, step: isize, down: isize, row0: usize, row1: usize, row2: usize, row3: usize,
): void {
  const a = v128.load(even), b = v128.load(odd);
  const c = v128.load(even + step), d = v128.load(odd + down);
  const abLow = v128.shuffle<u32>(a, b, 0, 4, 1, 5), abHigh = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cdLow = v128.shuffle<u32>(c, d, 0, 4, 1, 5), cdHigh = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(row0, v128.shuffle<u64>(abLow, cdLow, 0, 2));
  v128.store(row1, v128.shuffle<u64>(abLow, cdLow, 1, 3));
  v128.store(row2, v128.shuffle<u64>(abHigh, cdHigh, 0, 2));
  v128.store(row3, v128.shuffle<u64>(abHigh, cdHigh, 1, 3));
}
