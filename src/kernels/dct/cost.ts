import type { Cost } from '../../checks/limits.js';

/** Steps for each point of a plan: the cosines and sines of its tables. */
const PLAN_STEPS = 256;
/** Bytes for each point of a plan while it is made, and of the buffers that a transform of its size works in. */
const PLAN_BYTES = 128;

/**
 * The most that a transform of a matrix takes in either implementation: plans for both sizes, copies of the matrix, and
 * O(n log n) operations. A size that is no power of two is a convolution of the second power above it, with two
 * transforms of that size.
 */
export function dctCost(rows: number, cols: number): Cost {
  const [row, column] = [lineCost(cols), lineCost(rows)];
  return {
    bytes: PLAN_BYTES * (row.points + column.points) + 8 * rows * cols,
    steps: PLAN_STEPS * (row.points + column.points) + rows * row.steps + cols * column.steps,
  };
}

function lineCost(size: number): { readonly points: number; readonly steps: number } {
  if (size < 2) return { points: 0, steps: 0 };
  const log = Math.ceil(Math.log2(size));
  if (size === 2 ** log) return { points: size, steps: size * log };
  const points = 2 ** (log + 1);
  return { points, steps: 2.5 * points * (log + 1) };
}
