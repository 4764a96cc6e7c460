import { UnsupportedError } from '../../errors.js';
import { colRange, type Matrix, rowRange } from '../../linalg/matrix.js';
import { blockedMultiply, blockLengths, DEPTH, pack, wholeTiles } from '../blockedMultiply.js';
import type { LinearKernels } from '../kernels.js';
import { portableKernels } from '../portable/index.js';
import { isNarrow, narrowMultiply } from './narrowMultiply.js';
import type { WasmRuntime } from './runtime.js';

interface LinearExports {
  multiplyBlock(left: number, right: number, rows: number, cols: number, length: number, out: number): void;
  addBlock(left: number, right: number, rows: number, cols: number, length: number, sum: number): void;
  tridiagonalize(a: number, n: number, diagonal: number, subdiagonal: number, work: number): void;
}

/** Bytes of an f64. */
const SIZE = Float64Array.BYTES_PER_ELEMENT;

/** The part of a sum that is in the memory at a time, 512 KiB. */
const PANEL_ROWS = 32;
const PANEL_COLS = 4096;

export function wasmLinear(runtime: WasmRuntime): LinearKernels {
  /** Adds a·b, of an inner length within DEPTH, to the columns of `out` from `col` on; its rows are `outStride` long. */
  function addPanels(a: Matrix, b: Matrix, out: Float32Array, col: number, outStride: number): void {
    const stride = wholeTiles(b.cols);
    const [rightLength, leftLength] = [stride * a.cols, PANEL_ROWS * a.cols];
    const right = runtime.allocate(rightLength * SIZE);
    const left = runtime.allocate(leftLength * SIZE);
    const sum = runtime.allocate(PANEL_ROWS * stride * out.BYTES_PER_ELEMENT);
    const [leftView, sums] = [runtime.doubles(left, leftLength), runtime.floats(sum, PANEL_ROWS * stride)];
    const { addBlock } = runtime.exports<LinearExports>('linear');
    pack(runtime.doubles(right, rightLength), b.data, b.offset, b.colStride, b.rowStride, b.cols, a.cols);
    for (let row = 0; row < a.rows; row += PANEL_ROWS) {
      const rows = Math.min(PANEL_ROWS, a.rows - row);
      pack(leftView, a.data, a.offset + row * a.rowStride, a.rowStride, a.colStride, rows, a.cols);
      const lines = Array.from({ length: rows }, (_, i) => {
        const start = (row + i) * outStride + col;
        return out.subarray(start, start + b.cols);
      });
      for (const [i, line] of lines.entries()) sums.set(line, i * stride);
      addBlock(left, right, wholeTiles(rows), stride, a.cols, sum);
      for (const [i, line] of lines.entries()) line.set(sums.subarray(i * stride, i * stride + b.cols));
    }
  }
  function multiply(a: Matrix, b: Matrix, out: Float64Array): void {
    if (isNarrow(a, b)) {
      narrowMultiply(runtime, 8, a, b, out);
      return;
    }
    runtime.scope(() => {
      const lengths = blockLengths(a, b);
      const left = runtime.allocate(lengths.left * SIZE);
      const right = runtime.allocate(lengths.right * SIZE);
      const product = runtime.allocate(lengths.product * SIZE);
      const { multiplyBlock } = runtime.exports<LinearExports>('linear');
      blockedMultiply(a, b, out, {
        left: runtime.doubles(left, lengths.left),
        right: runtime.doubles(right, lengths.right),
        product: runtime.doubles(product, lengths.product),
        run: (rows, cols, length) => multiplyBlock(left, right, rows, cols, length, product),
      });
    });
  }
  return {
    multiply,
    multiplySingle(a, b, out) {
      if (a.data instanceof Float32Array && isNarrow(a, b)) narrowMultiply(runtime, 4, a, b, out);
      else multiply(a, b, out);
    },
    addProduct(a, b, out) {
      for (let inner = 0; inner < a.cols; inner += DEPTH) {
        const end = Math.min(inner + DEPTH, a.cols);
        const [left, right] = [colRange(a, inner, end), rowRange(b, inner, end)];
        for (let col = 0; col < b.cols; col += PANEL_COLS) {
          const panel = colRange(right, col, Math.min(col + PANEL_COLS, b.cols));
          runtime.scope(() => addPanels(left, panel, out, col, b.cols));
        }
      }
    },
    tridiagonalize(a, n, diagonal, subdiagonal) {
      runtime.scope(() => {
        let matrix: number;
        try {
          // The matrix, two vectors of results, four to work with.
          matrix = runtime.allocate((n + 6) * n * SIZE);
        } catch (error) {
          if (!(error instanceof UnsupportedError)) throw error;
          portableKernels.tridiagonalize(a, n, diagonal, subdiagonal);
          return;
        }
        const vectors = matrix + n * n * SIZE;
        const beside = vectors + n * SIZE;
        const work = beside + n * SIZE;
        runtime.load(a, matrix);
        runtime.exports<LinearExports>('linear').tridiagonalize(matrix, n, vectors, beside, work);
        runtime.store(matrix, a);
        runtime.store(vectors, diagonal);
        runtime.store(beside, subdiagonal);
      });
    },
  };
}
