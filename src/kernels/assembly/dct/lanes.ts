// Eight rows to and from the lanes of complex numbers: rows 0 to 3 are the real parts, rows 4 to 7 the imaginary ones.

import { COMPLEX } from './complex';

/** Where element i of a row stands in the order that turns.ts asks for. */
// @ts-ignore: decorator
@inline
export function folded(i: usize, n: usize): usize {
  return (i & 1) == 0 ? i >> 1 : n - 1 - (i >> 1);
}

/**
 * Eight rows of n floats, `stride` bytes apart, to n complex numbers; in folded order where `fold`. Reads up to 12
 * bytes past each row.
 */
export function gatherRows(rows: usize, stride: usize, n: usize, to: usize, fold: bool): void {
  for (let i: usize = 0; i < n; i += 4, rows += 16) {
    const left = n - i;
    transposeIn(rows, stride, to, fold, i, n, left);
    transposeIn(rows + 4 * stride, stride, to + 16, fold, i, n, left);
  }
}

// @ts-ignore: decorator
@inline
function transposeIn(rows: usize, stride: usize, to: usize, fold: bool, i: usize, n: usize, left: usize): void {
  const a = v128.load(rows), b = v128.load(rows + stride);
  const c = v128.load(rows + 2 * stride), d = v128.load(rows + 3 * stride);
  const abLow = v128.shuffle<u32>(a, b, 0, 4, 1, 5), abHigh = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cdLow = v128.shuffle<u32>(c, d, 0, 4, 1, 5), cdHigh = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(place(to, i, n, fold), v128.shuffle<u64>(abLow, cdLow, 0, 2));
  if (left > 1) v128.store(place(to, i + 1, n, fold), v128.shuffle<u64>(abLow, cdLow, 1, 3));
  if (left > 2) v128.store(place(to, i + 2, n, fold), v128.shuffle<u64>(abHigh, cdHigh, 0, 2));
  if (left > 3) v128.store(place(to, i + 3, n, fold), v128.shuffle<u64>(abHigh, cdHigh, 1, 3));
}

// @ts-ignore: decorator
@inline
function place(base: usize, i: usize, n: usize, fold: bool): usize {
  return base + (fold ? folded(i, n) : i) * COMPLEX;
}

/**
 * n complex numbers to eight rows of a matrix in blocks of eight columns: `places` says where in its block (in units of
 * 32 bytes) each of the eight rows goes. With `unfold`, the numbers are in folded order, and rows 0 to 3 are the
 * imaginary parts. Fills up the last block with anything.
 */
export function scatterRows(
  from: usize, n: usize, unfold: bool, blocks: usize, blockBytes: usize, places: usize,
): void {
  const upper = unfold ? from + 16 : from, lower = unfold ? from : from + 16;
  for (let i: usize = 0; i < n; i += 8, blocks += blockBytes) {
    transposeOut(upper, i, n, unfold, blocks, places);
    transposeOut(upper, i + 4, n, unfold, blocks + 16, places);
    transposeOut(lower, i, n, unfold, blocks, places + 16);
    transposeOut(lower, i + 4, n, unfold, blocks + 16, places + 16);
  }
}

// @ts-ignore: decorator
@inline
function transposeOut(from: usize, i: usize, n: usize, unfold: bool, block: usize, places: usize): void {
  const last = n - 1;
  const a = v128.load(place(from, min(i, last), n, unfold)), b = v128.load(place(from, min(i + 1, last), n, unfold));
  const c = v128.load(place(from, min(i + 2, last), n, unfold)), d = v128.load(place(from, min(i + 3, last), n, unfold));
  const abLow = v128.shuffle<u32>(a, b, 0, 4, 1, 5), abHigh = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cdLow = v128.shuffle<u32>(c, d, 0, 4, 1, 5), cdHigh = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(block + load<u32>(places) * COMPLEX, v128.shuffle<u64>(abLow, cdLow, 0, 2));
  v128.store(block + load<u32>(places, 4) * COMPLEX, v128.shuffle<u64>(abLow, cdLow, 1, 3));
  v128.store(block + load<u32>(places, 8) * COMPLEX, v128.shuffle<u64>(abHigh, cdHigh, 0, 2));
  v128.store(block + load<u32>(places, 12) * COMPLEX, v128.shuffle<u64>(abHigh, cdHigh, 1, 3));
}
