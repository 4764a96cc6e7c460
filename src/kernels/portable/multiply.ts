import type { Matrix } from '../../linalg/matrix.js';

/**
 * Matrix products in the manner of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008):
 * blocks of both operands are packed in the order in which the innermost loop reads them, which also turns any
 * strides and f32 into contiguous f64; that loop keeps a 4×4 tile of the result in registers.
 */

/** Rows and columns of the tile. */
const TILE = 4;
/** Inner length of a block: with the two panels of a tile, 16 KiB of the first-level cache. */
const DEPTH = 256;
/** Rows of a packed block of the left operand, 192 KiB, for the second-level cache. */
const BLOCK_ROWS = 96;
/** Columns of a packed block of the right operand, 1 MiB. */
const BLOCK_COLS = 512;

/** See `LinearKernels.multiply`. */
export function multiply(a: Matrix, b: Matrix, out: Float64Array): void {
  out.fill(0, 0, a.rows * b.cols);
  const depth = Math.min(DEPTH, a.cols);
  const left = new Float64Array(roundUp(Math.min(BLOCK_ROWS, a.rows)) * depth);
  const right = new Float64Array(roundUp(Math.min(BLOCK_COLS, b.cols)) * depth);
  for (let col = 0; col < b.cols; col += BLOCK_COLS) {
    const cols = Math.min(BLOCK_COLS, b.cols - col);
    for (let inner = 0; inner < a.cols; inner += DEPTH) {
      const length = Math.min(DEPTH, a.cols - inner);
      pack(
        right,
        b.data,
        b.offset + inner * b.rowStride + col * b.colStride,
        b.colStride,
        b.rowStride,
        cols,
        length,
      );
      for (let row = 0; row < a.rows; row += BLOCK_ROWS) {
        const rows = Math.min(BLOCK_ROWS, a.rows - row);
        pack(
          left,
          a.data,
          a.offset + row * a.rowStride + inner * a.colStride,
          a.rowStride,
          a.colStride,
          rows,
          length,
        );
        multiplyBlock(left, right, rows, cols, length, out, row * b.cols + col, b.cols);
      }
    }
  }
}

/**
 * Lays `lines` lines (rows of the left operand, columns of the right one) of `length` elements out in panels of four
 * lines, their elements interleaved. Lines that a last panel lacks are zeros.
 */
function pack(
  panels: Float64Array,
  data: Float32Array | Float64Array,
  offset: number,
  lineStride: number,
  stride: number,
  lines: number,
  length: number,
): void {
  for (let line = 0; line < lines; line += TILE) {
    const panel = line * length;
    const inPanel = Math.min(TILE, lines - line);
    for (let l = 0; l < TILE; l++) {
      let from = offset + (line + l) * lineStride;
      const end = panel + l + length * TILE;
      if (l >= inPanel) for (let to = panel + l; to < end; to += TILE) panels[to] = 0;
      else {
        for (let to = panel + l; to < end; to += TILE) {
          panels[to] = data[from]!;
          from += stride;
        }
      }
    }
  }
}

/** Adds the product of two packed blocks to `out` from `offset` on, whose rows are `stride` apart. */
function multiplyBlock(
  left: Float64Array,
  right: Float64Array,
  rows: number,
  cols: number,
  length: number,
  out: Float64Array,
  offset: number,
  stride: number,
): void {
  const tile = new Float64Array(TILE * TILE);
  for (let col = 0; col < cols; col += TILE) {
    const tileCols = Math.min(TILE, cols - col);
    for (let row = 0; row < rows; row += TILE) {
      multiplyTile(left, row * length, right, col * length, length, tile);
      const tileRows = Math.min(TILE, rows - row);
      for (let i = 0; i < tileRows; i++) {
        const at = offset + (row + i) * stride + col;
        for (let j = 0; j < tileCols; j++) out[at + j]! += tile[i * TILE + j]!;
      }
    }
  }
}

function multiplyTile(
  left: Float64Array,
  leftAt: number,
  right: Float64Array,
  rightAt: number,
  length: number,
  tile: Float64Array,
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
  tile[0] = t0;
  tile[1] = t1;
  tile[2] = t2;
  tile[3] = t3;
  tile[4] = t4;
  tile[5] = t5;
  tile[6] = t6;
  tile[7] = t7;
  tile[8] = t8;
  tile[9] = t9;
  tile[10] = t10;
  tile[11] = t11;
  tile[12] = t12;
  tile[13] = t13;
  tile[14] = t14;
  tile[15] = t15;
}

function roundUp(lines: number): number {
  return Math.ceil(lines / TILE) * TILE;
}
