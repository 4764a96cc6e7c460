import { UnsupportedError } from '../../../errors.js';

/** A symmetric tridiagonal matrix: n values on the diagonal, n − 1 beside it. */
export interface Tridiagonal {
  readonly diagonal: Float64Array;
  readonly subdiagonal: Float64Array;
}

export const EPSILON = 2 ** -52;

/** QL takes fewer than two iterations per eigenvalue on average; more than this happens only with NaN in the input. */
const MAX_ITERATIONS = 60;

/** Largest absolute row sum. */
export function tridiagonalNorm({ diagonal, subdiagonal }: Tridiagonal): number {
  let norm = 0;
  for (let i = 0; i < diagonal.length; i++) {
    const beside = Math.abs(subdiagonal[i - 1] ?? 0) + Math.abs(subdiagonal[i] ?? 0);
    norm = Math.max(norm, Math.abs(diagonal[i]!) + beside);
  }
  return norm;
}

/** Cuts where an off-diagonal element is negligible: the eigenvalues are those of the parts. */
export function splitTridiagonal(whole: Tridiagonal): { start: number; part: Tridiagonal }[] {
  const { diagonal, subdiagonal } = whole;
  const parts: { start: number; part: Tridiagonal }[] = [];
  const negligible = EPSILON * tridiagonalNorm(whole);
  for (let start = 0, end = 1; end <= diagonal.length; end++) {
    if (end < diagonal.length && Math.abs(subdiagonal[end - 1]!) > negligible) continue;
    const part = { diagonal: diagonal.slice(start, end), subdiagonal: subdiagonal.slice(start, end - 1) };
    parts.push({ start, part });
    start = end;
  }
  return parts;
}

/**
 * All eigenvalues, ascending, by QL iterations with implicit Wilkinson shifts (Golub and Van Loan, Matrix
 * Computations, section 8.3), O(n²).
 */
export function tridiagonalEigenvalues(whole: Tridiagonal): Float64Array {
  const { diagonal, subdiagonal } = whole;
  // Relative to the norm, not to the neighbours on the diagonal: in a graded matrix, rounding keeps small ones
  // unsettled.
  const negligible = EPSILON * tridiagonalNorm(whole);
  const d = diagonal.slice();
  const n = d.length;
  const e = new Float64Array(n);
  e.set(subdiagonal.subarray(0, Math.max(n - 1, 0)));
  for (let l = 0; l < n; l++) {
    for (let iteration = 0; ; iteration++) {
      const end = nextNegligible(e, l, negligible);
      if (end === l) break;
      if (iteration === MAX_ITERATIONS) {
        throw new UnsupportedError('Cannot compute the eigenvalues: they do not converge', { actual: d[l] });
      }
      iterateQl(d, e, l, end);
    }
  }
  return d.sort();
}

/** The first index from `l` on whose off-diagonal element is negligible; the last has none. */
function nextNegligible(e: Float64Array, l: number, negligible: number): number {
  let m = l;
  while (m < e.length - 1 && Math.abs(e[m]!) > negligible) m++;
  return m;
}

/** One implicit QL sweep over the unreduced part `l` to `m`. */
function iterateQl(d: Float64Array, e: Float64Array, l: number, m: number): void {
  const half = (d[l + 1]! - d[l]!) / (2 * e[l]!);
  const root = Math.sqrt(half * half + 1);
  let g = d[m]! - d[l]! + e[l]! / (half + (half < 0 ? -root : root));
  let s = 1;
  let c = 1;
  let p = 0;
  for (let i = m - 1; i >= l; i--) {
    const f = s * e[i]!;
    const b = c * e[i]!;
    const r = Math.sqrt(f * f + g * g);
    e[i + 1] = r;
    if (r === 0) {
      // The matrix has split by underflow: start again with the smaller part.
      d[i + 1]! -= p;
      e[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1]! - p;
    const t = (d[i]! - g) * s + 2 * c * b;
    p = s * t;
    d[i + 1] = g + p;
    g = c * t - b;
  }
  d[l]! -= p;
  e[l] = g;
  e[m] = 0;
}
