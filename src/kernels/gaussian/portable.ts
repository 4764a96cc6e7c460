import type { GaussianKernels } from './interface.js';
import { SeededRng } from './rng.js';

export const portableGaussian: GaussianKernels = { gaussianRows };

function gaussianRows(
  seed: bigint,
  data: Float64Array | undefined,
  products: Float64Array,
  sums: Float64Array,
  squares?: Float64Array,
): void {
  const rng = new SeededRng(seed);
  const row = new Float32Array(sums.length);
  for (let j = 0; j < products.length; j++) {
    for (let i = 0; i < row.length; i++) row[i] = rng.nextNormal();
    if (data !== undefined) products[j] = dot(row, data);
    const product = products[j]!;
    for (let i = 0; i < row.length; i++) sums[i]! += row[i]! * product;
    if (squares !== undefined) for (let i = 0; i < row.length; i++) squares[i]! += row[i]! * row[i]!;
  }
}

function dot(row: Float32Array, data: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i]! * data[i]!;
  return sum;
}
