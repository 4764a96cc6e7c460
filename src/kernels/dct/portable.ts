import { finish, oneStep, type Steps } from '../../async/steps.js';
import type { DctKernels, Stretches } from './interface.js';
import { type DctPlan, dctPlan } from './portable/plan.js';

/** Columns that are gathered together: a cache line of f32, so that each cache line is fetched once. */
const COLUMN_BLOCK = 16;

type Direction = 'forward' | 'inverse';

/** O(n log n) for any size. */
export const portableDct: DctKernels = {
  dct2d: (data, rows, cols, out) => finish(run(data, rows, cols, out, 'forward')),
  idct2d: (data, rows, cols, out) => finish(run(data, rows, cols, out, 'inverse')),
  idct2dSteps: (data, rows, cols, out) => {
    const steps = run(data, rows, cols, out, 'inverse');
    return rows * cols > STEP_VALUES ? steps : oneStep(() => finish(steps));
  },
};

/** Values that are transformed in a step: some milliseconds. */
const STEP_VALUES = 2 ** 16;

/** Here the whole matrix is one stretch. */
function* run(
  data: Stretches,
  rows: number,
  cols: number,
  out: Stretches,
  direction: Direction,
): Steps<void> {
  if (rows === 0 || cols === 0) return;
  const matrix = typeof out === 'function' ? new Float32Array(rows * cols) : out;
  if (typeof data === 'function') data(matrix, 0);
  yield* transform(typeof data === 'function' ? matrix : data, rows, cols, matrix, direction);
  if (typeof out === 'function') out(matrix, 0);
}

function* transform(
  data: Float32Array,
  rows: number,
  cols: number,
  out: Float32Array,
  direction: Direction,
): Steps<void> {
  // A transform of size 1 is the identity.
  if (cols > 1) yield* transformRows(dctPlan(cols), direction, data, rows, out);
  else if (out !== data) out.set(data);
  if (rows > 1) yield* transformColumns(dctPlan(rows), direction, out, cols);
}

function* transformRows(
  plan: DctPlan,
  direction: Direction,
  data: Float32Array,
  rows: number,
  out: Float32Array,
): Steps<void> {
  const stepRows = 2 * Math.ceil(STEP_VALUES / plan.size / 2);
  for (let row = 0; row < rows; row += 2) {
    if (row > 0 && row % stepRows === 0) yield;
    const first = row * plan.size;
    const second = row + 1 < rows ? first + plan.size : first;
    plan[direction](data, first, second, out);
  }
}

function* transformColumns(
  plan: DctPlan,
  direction: Direction,
  matrix: Float32Array,
  cols: number,
): Steps<void> {
  const rows = plan.size;
  const block = new Float32Array(Math.min(COLUMN_BLOCK, cols) * rows);
  for (let first = 0; first < cols; first += COLUMN_BLOCK) {
    const width = Math.min(COLUMN_BLOCK, cols - first);
    for (let row = 0; row < rows; row++) {
      for (let col = 0; col < width; col++) block[col * rows + row] = matrix[row * cols + first + col]!;
    }
    yield* transformRows(plan, direction, block, width, block);
    for (let row = 0; row < rows; row++) {
      for (let col = 0; col < width; col++) matrix[row * cols + first + col] = block[col * rows + row]!;
    }
    yield;
  }
}
