import type { MatrixShape } from '../encodings/encoding.js';

/** The matrix that the encodings see: rank 0 is 1×1, rank 1 is 1×n, rank 3 and more is first × the rest. */
export function matrixShape(shape: readonly number[]): MatrixShape {
  if (shape.length < 2) return { rows: 1, cols: shape[0] ?? 1 };
  const [rows, ...rest] = shape as [number, ...number[]];
  return { rows, cols: rest.reduce((product, dimension) => product * dimension, 1) };
}
