import type { Steps } from '../../async/steps.js';

/**
 * Conjugate gradients for A x = b, A symmetric positive semi-definite and b in its range, from x = 0: ends at the
 * solution of smallest norm. M. Hestenes and E. Stiefel, "Methods of conjugate gradients for solving linear systems",
 * 1952.
 * @param multiply adds A p to `out`, which holds zeros
 * @param tolerance ends when ‖b − A x‖ ≤ tolerance × ‖b‖
 */
export function* conjugateGradients(
  multiply: (p: Float64Array, out: Float64Array) => Steps<void>,
  b: Float64Array,
  tolerance: number,
  maxIterations: number,
): Steps<Float64Array> {
  const n = b.length;
  const x = new Float64Array(n);
  const residual = b.slice();
  const direction = b.slice();
  const product = new Float64Array(n);
  let energy = dot(residual, residual);
  const enough = energy * tolerance * tolerance;
  for (let iteration = 0; iteration < maxIterations && energy > enough; iteration++) {
    product.fill(0);
    yield* multiply(direction, product);
    const step = energy / dot(direction, product);
    for (let i = 0; i < n; i++) {
      x[i]! += step * direction[i]!;
      residual[i]! -= step * product[i]!;
    }
    const before = energy;
    energy = dot(residual, residual);
    for (let i = 0; i < n; i++) direction[i] = residual[i]! + (energy / before) * direction[i]!;
  }
  return x;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
