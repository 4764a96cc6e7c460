import type { WasmSubject } from '../runtime/module.js';
import type { WasmRuntime } from '../runtime/runtime.js';
import { DEPTH, pack, wholeTiles } from './blockedMultiply.js';
import type { SumKernels } from './interface.js';
import { colRange, type Matrix, rowRange } from './matrix.js';
import { SUM_WASM } from './wasm/sum.generated.js';

interface SumExports {
  addBlock(left: number, right: number, rows: number, cols: number, length: number, sum: number): void;
}

/** Bytes of an f64. */
const SIZE = Float64Array.BYTES_PER_ELEMENT;

/** The part of a sum that is in the memory at a time, 512 KiB. */
const PANEL_ROWS = 32;
const PANEL_COLS = 4096;

export const wasmSum: WasmSubject<SumKernels> = { modules: { sum: SUM_WASM }, link };

function link(runtime: WasmRuntime): SumKernels {
  /** Adds a·b, of an inner length within DEPTH, to the columns of `out` from `col` on; its rows are `outStride` long. */
  function addPanels(a: Matrix, b: Matrix, out: Float32Array, col: number, outStride: number): void {
    const stride = wholeTiles(b.cols);
    const [rightLength, leftLength] = [stride * a.cols, PANEL_ROWS * a.cols];
    const right = runtime.allocate(rightLength * SIZE);
    const left = runtime.allocate(leftLength * SIZE);
    const sum = runtime.allocate(PANEL_ROWS * stride * out.BYTES_PER_ELEMENT);
    const [leftView, sums] = [runtime.doubles(left, leftLength), runtime.floats(sum, PANEL_ROWS * stride)];
    const { addBlock } = runtime.exports<SumExports>('sum');
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
  return {
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
  };
}
