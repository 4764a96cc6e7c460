import type { Matrix } from './matrix.js';

/**
 * Matrix products after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): blocks of
 * both operands are packed in the order in which the innermost loop reads them, which also turns any strides and f32
 * into contiguous f64. This loop, which keeps a tile of the result in registers, belongs to the kernels.
 */

/** Rows and columns of a tile. */
export const TILE = 4;
/** Inner length of a block: with the two panels of a tile, 16 KiB of the first-level cache. */
export const DEPTH = 256;
/** Rows of a packed block of the left operand, 192 KiB, for the second-level cache. */
const BLOCK_ROWS = 96;
/** Columns of a packed block of the right operand, 1 MiB. */
const BLOCK_COLS = 512;

/** Multiplies two packed blocks. The arrays are where `blockedMultiply` packs and takes the result. */
export interface BlockMultiplier {
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly product: Float64Array;
  /** `product` = left · right, row-major; rows and cols are multiples of TILE. */
  run(rows: number, cols: number, length: number): void;
}

/** The lengths of the three arrays for this product. */
export function blockLengths(a: Matrix, b: Matrix): { left: number; right: number; product: number } {
  const depth = Math.min(DEPTH, a.cols);
  const rows = wholeTiles(Math.min(BLOCK_ROWS, a.rows));
  const cols = wholeTiles(Math.min(BLOCK_COLS, b.cols));
  return { left: rows * depth, right: cols * depth, product: rows * cols };
}

/** See `LinearKernels.multiply`. */
export function blockedMultiply(a: Matrix, b: Matrix, out: Float64Array, blocks: BlockMultiplier): void {
  out.fill(0, 0, a.rows * b.cols);
  for (let col = 0; col < b.cols; col += BLOCK_COLS) {
    const cols = Math.min(BLOCK_COLS, b.cols - col);
    const stride = wholeTiles(cols);
    for (let inner = 0; inner < a.cols; inner += DEPTH) {
      const length = Math.min(DEPTH, a.cols - inner);
      const right = b.offset + inner * b.rowStride + col * b.colStride;
      pack(blocks.right, b.data, right, b.colStride, b.rowStride, cols, length);
      for (let row = 0; row < a.rows; row += BLOCK_ROWS) {
        const rows = Math.min(BLOCK_ROWS, a.rows - row);
        const left = a.offset + row * a.rowStride + inner * a.colStride;
        pack(blocks.left, a.data, left, a.rowStride, a.colStride, rows, length);
        blocks.run(wholeTiles(rows), stride, length);
        addBlock(out, row * b.cols + col, b.cols, blocks.product, stride, rows, cols);
      }
    }
  }
}

/**
 * Lays `lines` lines (rows of the left operand, columns of the right one) of `length` elements out in panels of four
 * lines, their elements interleaved. Zeros fill the last panel.
 */
export function pack(
  panels: Float64Array,
  data: Float32Array | Float64Array,
  offset: number,
  lineStride: number,
  stride: number,
  lines: number,
  length: number,
): void {
  for (let line = 0; line < lines; line += TILE) {
    for (let l = 0; l < TILE; l++) {
      const start = line * length + l;
      const end = start + length * TILE;
      if (line + l >= lines) for (let to = start; to < end; to += TILE) panels[to] = 0;
      else {
        let from = offset + (line + l) * lineStride;
        for (let to = start; to < end; to += TILE) {
          panels[to] = data[from]!;
          from += stride;
        }
      }
    }
  }
}

function addBlock(
  out: Float64Array,
  offset: number,
  outStride: number,
  block: Float64Array,
  stride: number,
  rows: number,
  cols: number,
): void {
  for (let i = 0; i < rows; i++) {
    let to = offset + i * outStride;
    for (let from = i * stride, end = from + cols; from < end; from++, to++) out[to]! += block[from]!;
  }
}

/** The next multiple of TILE. */
export function wholeTiles(lines: number): number {
  return Math.ceil(lines / TILE) * TILE;
}
