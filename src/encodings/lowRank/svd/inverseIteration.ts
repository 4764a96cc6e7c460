import { EPSILON, type Tridiagonal, tridiagonalNorm } from './tridiagonal.js';

/**
 * Eigenvalues closer than this, relative to the norm, get vectors that are orthogonalized against each other. Others
 * are orthogonal to about EPSILON / CLUSTER without it.
 */
const CLUSTER = 1e-6;

/** Two almost always bring a random vector to full accuracy; the third helps an unlucky one. */
const ITERATIONS = 3;

/**
 * Eigenvectors of an unreduced tridiagonal matrix by inverse iteration, as LAPACK's DSTEIN does it: close
 * eigenvalues are kept apart and their vectors orthogonalized. O(n) per vector, and O(n·c) in a cluster of c.
 * @param values eigenvalues, descending
 * @returns one unit vector per value
 */
export function tridiagonalEigenvectors(
  part: Tridiagonal,
  values: ArrayLike<number>,
  random: () => number,
): Float64Array[] {
  const norm = tridiagonalNorm(part);
  const vectors: Float64Array[] = [];
  let clusterStart = 0;
  let shift = Infinity;
  for (let k = 0; k < values.length; k++) {
    const value = values[k]!;
    if (k > 0 && values[k - 1]! - value > CLUSTER * norm) clusterStart = k;
    // Equal shifts would give equal vectors.
    shift = Math.min(value, shift - 4 * EPSILON * norm);
    vectors.push(iterate(factor(part, shift, norm), vectors.slice(clusterStart), random));
  }
  return vectors;
}

function iterate(lu: Factors, cluster: readonly Float64Array[], random: () => number): Float64Array {
  const x = Float64Array.from(lu.pivots, random);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    solve(lu, x);
    normalize(x);
    for (const other of cluster) {
      let dot = 0;
      for (let i = 0; i < x.length; i++) dot += x[i]! * other[i]!;
      for (let i = 0; i < x.length; i++) x[i]! -= dot * other[i]!;
    }
    if (cluster.length > 0) normalize(x);
  }
  return x;
}

/** Scales by the largest magnitude first: a solution of a nearly singular system may be huge. */
function normalize(x: Float64Array): void {
  let largest = 0;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, Math.abs(x[i]!));
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i]! / largest) ** 2;
  const scale = 1 / (largest * Math.sqrt(sum));
  for (let i = 0; i < x.length; i++) x[i]! *= scale;
}

/** T − shift·I = P L U: U has two diagonals above the main one, of which `pivots` holds the reciprocals. */
interface Factors {
  readonly pivots: Float64Array;
  readonly upper1: Float64Array;
  readonly upper2: Float64Array;
  readonly multipliers: Float64Array;
  readonly swapped: Uint8Array;
}

function factor({ diagonal, subdiagonal }: Tridiagonal, shift: number, norm: number): Factors {
  const n = diagonal.length;
  const pivots = new Float64Array(n);
  const upper1 = new Float64Array(n);
  const upper2 = new Float64Array(n);
  const multipliers = new Float64Array(n);
  const swapped = new Uint8Array(n);
  // A pivot of 0 is replaced by one of the size of a rounding error.
  const smallest = EPSILON * norm || 1;
  let pivot = diagonal[0]! - shift;
  let beside = subdiagonal[0] ?? 0;
  for (let i = 0; i < n; i++) {
    const below = subdiagonal[i] ?? 0;
    const nextDiagonal = (diagonal[i + 1] ?? 0) - shift;
    const nextBeside = subdiagonal[i + 1] ?? 0;
    if (i < n - 1 && Math.abs(below) > Math.abs(pivot)) {
      const multiplier = pivot / below;
      swapped[i] = 1;
      multipliers[i] = multiplier;
      pivots[i] = 1 / below;
      upper1[i] = nextDiagonal;
      upper2[i] = nextBeside;
      pivot = beside - multiplier * nextDiagonal;
      beside = -multiplier * nextBeside;
    } else {
      if (Math.abs(pivot) < smallest) pivot = smallest;
      pivots[i] = 1 / pivot;
      multipliers[i] = below / pivot;
      upper1[i] = beside;
      pivot = nextDiagonal - multipliers[i]! * beside;
      beside = nextBeside;
    }
  }
  return { pivots, upper1, upper2, multipliers, swapped };
}

function solve({ pivots, upper1, upper2, multipliers, swapped }: Factors, x: Float64Array): void {
  const n = x.length;
  for (let i = 0; i < n - 1; i++) {
    if (swapped[i] === 1) {
      const above = x[i + 1]!;
      x[i + 1] = x[i]! - multipliers[i]! * above;
      x[i] = above;
    } else x[i + 1]! -= multipliers[i]! * x[i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    const sum = x[i]! - upper1[i]! * (x[i + 1] ?? 0) - upper2[i]! * (x[i + 2] ?? 0);
    x[i] = sum * pivots[i]!;
  }
}
