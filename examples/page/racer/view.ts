import type { View, ViewRequest } from './protocol.js';

/** Most cells along each side. */
const MOST_CELLS = 256;
const BINS = 61;
/** The share of elements within the range of colours. */
const WITHIN = 0.99;
/** Elements from which the range is estimated. */
const SAMPLED = 20_000;

/** A tensor as a matrix: all dimensions but the first are its columns. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

export function matrixOf(shape: readonly number[], data: Float32Array): Matrix {
  const rows = shape.length < 2 ? 1 : shape[0]!;
  return { rows, columns: rows === 0 ? 0 : data.length / rows, data };
}

/** The requested part of a matrix as cells, with the histogram of the whole. */
export function viewOf(request: ViewRequest, state: Matrix, latest: Matrix): View {
  const { tensor, left, top, zoom, shows } = request;
  const { data } = state;
  const shown = shows === 'values' ? data : data.map((value, i) => value - latest.data[i]!);
  const [fromColumn, columns] = part(state.columns, left, zoom);
  const [fromRow, rows] = part(state.rows, top, zoom);
  const [width, height] = [Math.min(columns, MOST_CELLS), Math.min(rows, MOST_CELLS)];
  const cells = new Float32Array(width * height);
  for (let y = 0; y < rows; y++) {
    const cellRow = Math.floor((y * height) / rows) * width;
    const row = (fromRow + y) * state.columns + fromColumn;
    for (let x = 0; x < columns; x++) {
      const cell = cellRow + Math.floor((x * width) / columns);
      const value = shown[row + x]!;
      if (Math.abs(value) > Math.abs(cells[cell]!)) cells[cell] = value;
    }
  }
  const range = robustRange(latest.data);
  return {
    tensor,
    shows,
    columns: width,
    rows: height,
    cells,
    range,
    counts: histogram(shown, range),
    error: relativeError(data, latest.data),
  };
}

function part(size: number, start: number, zoom: number): [from: number, count: number] {
  const count = Math.max(1, Math.round(size / zoom));
  return [Math.max(0, Math.min(size - count, Math.round(size * start))), count];
}

/** Outliers would leave all others without colour. */
function robustRange(data: Float32Array): number {
  const step = Math.max(1, Math.floor(data.length / SAMPLED));
  const magnitudes = Float32Array.from({ length: Math.ceil(data.length / step) }, (_, i) =>
    Math.abs(data[i * step]!),
  );
  magnitudes.sort();
  return magnitudes[Math.floor(WITHIN * (magnitudes.length - 1))] || 1;
}

function histogram(data: Float32Array, range: number): number[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const value of data) {
    const bin = Math.floor(((value / range + 1) * BINS) / 2);
    counts[Math.max(0, Math.min(BINS - 1, bin))]! += 1;
  }
  return counts;
}

function relativeError(data: Float32Array, latest: Float32Array): number {
  let [difference, norm] = [0, 0];
  for (const [i, value] of latest.entries()) {
    difference += (data[i]! - value) ** 2;
    norm += value ** 2;
  }
  return norm === 0 ? 0 : Math.sqrt(difference / norm);
}
