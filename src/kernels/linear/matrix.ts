/**
 * A matrix within an array: element (i, j) is `data[offset + i * rowStride + j * colStride]`. Transposes, blocks and
 * matrices inside larger ones have this form, so products need no copies of their operands.
 */
export interface Matrix {
  readonly data: Float32Array | Float64Array;
  readonly offset: number;
  readonly rows: number;
  readonly cols: number;
  readonly rowStride: number;
  readonly colStride: number;
}

/** All of a row-major array. */
export function matrix(data: Float32Array | Float64Array, rows: number, cols: number): Matrix {
  return { data, offset: 0, rows, cols, rowStride: cols, colStride: 1 };
}

export function transpose({ data, offset, rows, cols, rowStride, colStride }: Matrix): Matrix {
  return { data, offset, rows: cols, cols: rows, rowStride: colStride, colStride: rowStride };
}

/** Rows `from` to `to` (exclusive). */
export function rowRange(of: Matrix, from: number, to: number): Matrix {
  return { ...of, offset: of.offset + from * of.rowStride, rows: to - from };
}

/** Columns `from` to `to` (exclusive). */
export function colRange(of: Matrix, from: number, to: number): Matrix {
  return { ...of, offset: of.offset + from * of.colStride, cols: to - from };
}
