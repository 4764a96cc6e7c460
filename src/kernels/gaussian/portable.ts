import { finish, type Steps } from '../../async/steps.js';
import type { GaussianKernels } from './interface.js';
import { SeededRng } from './rng.js';

export const portableGaussian: GaussianKernels = {
  gaussianRows: (...args) => finish(rows(...args)),
  gaussianRowsSteps: rows,
};

/** Normals that are drawn in a step: some milliseconds. */
const STEP_NORMALS = 2 ** 18;

function* rows(
  seed: bigint,
  data: Float64Array | undefined,
  products: Float64Array,
  sums: Float64Array,
  squares?: Float64Array,
): Steps<void> {
  const rng = new SeededRng(seed);
  const row = new Float32Array(sums.length);
  const stepRows = Math.ceil(STEP_NORMALS / Math.max(1, row.length));
  for (let j = 0; j < products.length; j++) {
    for (let i = 0; i < row.length; i++) row[i] = rng.nextNormal();
    if (data !== undefined) products[j] = dot(row, data);
    const product = products[j]!;
    for (let i = 0; i < row.length; i++) sums[i]! += row[i]! * product;
    if (squares !== undefined) for (let i = 0; i < row.length; i++) squares[i]! += row[i]! * row[i]!;
    if (j % stepRows === stepRows - 1 && j + 1 < products.length) yield;
  }
}

function dot(row: Float32Array, data: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i]! * data[i]!;
  return sum;
}
