import { blockedMultiply, blockLengths, TILE } from '../blockedMultiply.js';
import { colRange, type Matrix, rowRange } from '../matrix.js';

/** Size of the part that `addProduct` computes at a time: the double-precision product takes 2 MiB. */
const PANEL_ROWS = 64;
const PANEL_COLS = 4096;

/** See `LinearKernels.multiply`. */
export function multiply(a: Matrix, b: Matrix, out: Float64Array): void {
  const lengths = blockLengths(a, b);
  const left = new Float64Array(lengths.left);
  const right = new Float64Array(lengths.right);
  const product = new Float64Array(lengths.product);
  const run = (rows: number, cols: number, length: number) => {
    for (let col = 0; col < cols; col += TILE) {
      for (let row = 0; row < rows; row += TILE) {
        multiplyTile(left, row * length, right, col * length, length, product, row * cols + col, cols);
      }
    }
  };
  blockedMultiply(a, b, out, { left, right, product, run });
}

/** See `SumKernels.addProduct`. */
export function addProduct(a: Matrix, b: Matrix, out: Float32Array): void {
  const panel = new Float64Array(Math.min(PANEL_ROWS, a.rows) * Math.min(PANEL_COLS, b.cols));
  for (let col = 0; col < b.cols; col += PANEL_COLS) {
    const cols = Math.min(PANEL_COLS, b.cols - col);
    for (let row = 0; row < a.rows; row += PANEL_ROWS) {
      const rows = Math.min(PANEL_ROWS, a.rows - row);
      multiply(rowRange(a, row, row + rows), colRange(b, col, col + cols), panel);
      for (let i = 0, from = 0; i < rows; i++) {
        let to = (row + i) * b.cols + col;
        for (const end = from + cols; from < end; from++, to++) out[to]! += panel[from]!;
      }
    }
  }
}

/** One 4×4 tile of the product, held in local variables while it is summed. */
function multiplyTile(
  left: Float64Array,
  leftAt: number,
  right: Float64Array,
  rightAt: number,
  length: number,
  out: Float64Array,
  outAt: number,
  stride: number,
): void {
  let t0 = 0;
  let t1 = 0;
  let t2 = 0;
  let t3 = 0;
  let t4 = 0;
  let t5 = 0;
  let t6 = 0;
  let t7 = 0;
  let t8 = 0;
  let t9 = 0;
  let t10 = 0;
  let t11 = 0;
  let t12 = 0;
  let t13 = 0;
  let t14 = 0;
  let t15 = 0;
  let at = leftAt;
  let bt = rightAt;
  for (let p = 0; p < length; p++, at += TILE, bt += TILE) {
    const a0 = left[at]!;
    const a1 = left[at + 1]!;
    const a2 = left[at + 2]!;
    const a3 = left[at + 3]!;
    const b0 = right[bt]!;
    const b1 = right[bt + 1]!;
    t0 += a0 * b0;
    t1 += a0 * b1;
    t4 += a1 * b0;
    t5 += a1 * b1;
    t8 += a2 * b0;
    t9 += a2 * b1;
    t12 += a3 * b0;
    t13 += a3 * b1;
    const b2 = right[bt + 2]!;
    const b3 = right[bt + 3]!;
    t2 += a0 * b2;
    t3 += a0 * b3;
    t6 += a1 * b2;
    t7 += a1 * b3;
    t10 += a2 * b2;
    t11 += a2 * b3;
    t14 += a3 * b2;
    t15 += a3 * b3;
  }
  const row1 = outAt + stride;
  const row2 = outAt + 2 * stride;
  const row3 = outAt + 3 * stride;
  out[outAt] = t0;
  out[outAt + 1] = t1;
  out[outAt + 2] = t2;
  out[outAt + 3] = t3;
  out[row1] = t4;
  out[row1 + 1] = t5;
  out[row1 + 2] = t6;
  out[row1 + 3] = t7;
  out[row2] = t8;
  out[row2 + 1] = t9;
  out[row2 + 2] = t10;
  out[row2 + 3] = t11;
  out[row3] = t12;
  out[row3 + 1] = t13;
  out[row3 + 2] = t14;
  out[row3 + 3] = t15;
}
