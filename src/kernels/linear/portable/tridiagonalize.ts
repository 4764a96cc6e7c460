/**
 * Householder reduction to tridiagonal form, on the rows of the lower triangle from the last one up, as in EISPACK's
 * tred routines (Martin, Reinsch and Wilkinson, 1968). The rank-2 update of one step and the product with the next
 * step's vector share one pass over the triangle, because memory limits this pass, not arithmetic.
 */

/** See `LinearKernels.tridiagonalize`. */
export function tridiagonalize(
  a: Float64Array,
  n: number,
  diagonal: Float64Array,
  subdiagonal: Float64Array,
): void {
  // The pending update: A -= v wᵀ + w vᵀ.
  let v = new Float64Array(n);
  let w = new Float64Array(n);
  let nextV = new Float64Array(n);
  let product = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    const row = i * n;
    const vi = v[i]!;
    const wi = w[i]!;
    for (let j = 0; j <= i; j++) a[row + j]! -= vi * w[j]! + wi * v[j]!;
    diagonal[i] = a[row + i]!;
    if (i === 0) break;
    subdiagonal[i - 1] = reflect(a, row, i);
    for (let j = 0; j < i; j++) nextV[j] = a[row + j]!;
    product.fill(0);
    for (let k = 0; k < i; k++) product[k]! += updateRow(a, k * n, k, v, w, nextV, product);
    let scalar = 0;
    for (let j = 0; j < i; j++) scalar += nextV[j]! * product[j]!;
    for (let j = 0; j < i; j++) product[j]! -= (scalar / 2) * nextV[j]!;
    [v, nextV] = [nextV, v];
    [w, product] = [product, w];
  }
}

/** Updates row `k` up to its diagonal, adds its mirror image times x to `product`, returns the row times x. */
function updateRow(
  a: Float64Array,
  row: number,
  k: number,
  v: Float64Array,
  w: Float64Array,
  x: Float64Array,
  product: Float64Array,
): number {
  const vk = v[k]!;
  const wk = w[k]!;
  const xk = x[k]!;
  let sum = 0;
  for (let j = 0; j < k; j++) {
    const value = a[row + j]! - vk * w[j]! - wk * v[j]!;
    a[row + j] = value;
    sum += value * x[j]!;
    product[j]! += value * xk;
  }
  const corner = a[row + k]! - 2 * vk * wk;
  a[row + k] = corner;
  return sum + corner * xk;
}

/**
 * Replaces x, the `length` values from `start` on, by v with (I - v vᵀ) x = β (0, …, 0, 1), and returns β. v is 0 if x
 * already has this form.
 */
function reflect(a: Float64Array, start: number, length: number): number {
  const last = start + length - 1;
  let tail = 0;
  for (let j = start; j < last; j++) tail += a[j]! * a[j]!;
  const alpha = a[last]!;
  if (tail === 0) {
    a[last] = 0;
    return alpha;
  }
  const norm = Math.sqrt(tail + alpha * alpha);
  const beta = alpha > 0 ? -norm : norm;
  // vᵀv must be 2.
  const scale = 1 / Math.sqrt(norm * (norm + Math.abs(alpha)));
  for (let j = start; j < last; j++) a[j]! *= scale;
  a[last] = (alpha - beta) * scale;
  return beta;
}
