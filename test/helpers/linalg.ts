import type { SingularTriplets } from '../../src/encodings/lowRank/svd/truncatedSvd.js';
import { randomFrom } from './random.js';

/**
 * All singular triplets of a row-major matrix with rows ≥ cols, by plain one-sided Jacobi rotations in f64: slow, short,
 * and accurate for every spectrum. The oracle that the product is held against.
 */
export function fullSvd(a: ArrayLike<number>, rows: number, cols: number): SingularTriplets {
  const columns = Array.from({ length: cols }, (_, j) =>
    Float64Array.from({ length: rows }, (_, i) => a[i * cols + j]!),
  );
  const basis = columns.map((_, j) => Float64Array.from({ length: cols }, (_, i) => (i === j ? 1 : 0)));
  const energy = columns.reduce((sum, column) => sum + dot(column, column), 0);
  for (let rotated = true; rotated; ) {
    rotated = false;
    for (let i = 0; i < cols; i++) {
      for (let j = i + 1; j < cols; j++) {
        const [x, y] = [columns[i]!, columns[j]!];
        const [xx, xy, yy] = [dot(x, x), dot(x, y), dot(y, y)];
        // Columns that are 0 but for rounding would turn for ever.
        if (Math.abs(xy) <= Math.max(1e-14 * Math.sqrt(xx * yy), 1e-30 * energy)) continue;
        rotated = true;
        const angle = Math.atan2(2 * xy, xx - yy) / 2;
        rotate(x, y, Math.cos(angle), Math.sin(angle));
        rotate(basis[i]!, basis[j]!, Math.cos(angle), Math.sin(angle));
      }
    }
  }
  const norms = columns.map((column) => Math.sqrt(dot(column, column)));
  const order = [...norms.keys()].sort((i, j) => norms[j]! - norms[i]!);
  return {
    sigma: Float64Array.from(order, (k) => norms[k]!),
    u: Float64Array.from(order.flatMap((k) => Array.from(columns[k]!, (value) => value / (norms[k]! || 1)))),
    v: Float64Array.from(order.flatMap((k) => [...basis[k]!])),
  };
}

/** rows × cols with these singular values, between random orthonormal vectors. */
export function matrixWithSpectrum(
  rows: number,
  cols: number,
  sigma: readonly number[],
  seed = 1,
): Float32Array {
  const u = orthonormalRows(sigma.length, rows, seed);
  const v = orthonormalRows(sigma.length, cols, seed + 1);
  const out = new Float32Array(rows * cols);
  // Row by row, which stays in the cache.
  const row = new Float64Array(cols);
  for (let i = 0; i < rows; i++) {
    row.fill(0);
    for (const [k, value] of sigma.entries()) {
      const scale = value * u[k]![i]!;
      const right = v[k]!;
      for (let j = 0; j < cols; j++) row[j]! += scale * right[j]!;
    }
    out.set(row, i * cols);
  }
  return out;
}

export function gaussian(length: number, seed: number): Float32Array {
  const random = randomFrom(seed);
  return Float32Array.from(
    { length },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

function orthonormalRows(count: number, length: number, seed: number): Float64Array[] {
  const rows: Float64Array[] = [];
  for (let k = 0; k < count; k++) {
    const row = Float64Array.from(gaussian(length, seed * 1000 + k));
    // Twice: once leaves rounding errors where the row nearly lies in the span of the others.
    for (const other of [...rows, ...rows]) {
      const along = dot(row, other);
      for (let i = 0; i < length; i++) row[i]! -= along * other[i]!;
    }
    const norm = Math.sqrt(dot(row, row));
    rows.push(row.map((value) => value / norm));
  }
  return rows;
}

export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

function rotate(x: Float64Array, y: Float64Array, c: number, s: number): void {
  for (let i = 0; i < x.length; i++) {
    const value = x[i]!;
    x[i] = c * value + s * y[i]!;
    y[i] = c * y[i]! - s * value;
  }
}
