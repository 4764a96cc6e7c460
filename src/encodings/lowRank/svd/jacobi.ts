/**
 * One-sided Jacobi rotations (Hestenes, 1958; Demmel and Veselić, 1992): makes the rows of `image` orthogonal to high
 * relative accuracy, also the small ones, by rotating pairs of them, and the same pairs of `basis`.
 */

/** Cosine between two rows that counts as orthogonal: far below the effect of rounding the factors to f32. */
const ORTHOGONAL = 1e-9;

/** Convergence is quadratic; from nearly orthogonal rows, two or three sweeps are usual. */
const MAX_SWEEPS = 30;

export interface Rows {
  readonly data: Float64Array;
  /** Length of a row. */
  readonly cols: number;
}

/**
 * @param rows which rows may be rotated
 */
export function orthogonalizeRows(image: Rows, basis: Rows, rows: readonly number[]): void {
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let rotated = false;
    for (const [k, i] of rows.entries()) {
      for (const j of rows.slice(k + 1)) {
        const [ii, ij, jj] = dots(image, i, j);
        if (Math.abs(ij) <= ORTHOGONAL * Math.sqrt(ii * jj)) continue;
        rotated = true;
        const zeta = (jj - ii) / (2 * ij);
        const t = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        rotate(image, i, j, t);
        rotate(basis, i, j, t);
      }
    }
    if (!rotated) return;
  }
}

/** Pairs of rows that are not orthogonal, by the lower triangle of their Gram matrix: the rows that occur in them. */
export function skewRows(gram: Float64Array, n: number, floor: number): number[] {
  const found = new Set<number>();
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const [ii, jj] = [gram[i * n + i]!, gram[j * n + j]!];
      if (ii < floor || jj < floor) continue;
      if (Math.abs(gram[i * n + j]!) > ORTHOGONAL * Math.sqrt(ii * jj)) found.add(i).add(j);
    }
  }
  return [...found].sort((i, j) => i - j);
}

function dots({ data, cols }: Rows, i: number, j: number): [number, number, number] {
  let ii = 0;
  let ij = 0;
  let jj = 0;
  for (let p = i * cols, q = j * cols, end = p + cols; p < end; p++, q++) {
    ii += data[p]! * data[p]!;
    ij += data[p]! * data[q]!;
    jj += data[q]! * data[q]!;
  }
  return [ii, ij, jj];
}

/** Rotates rows i and j by the angle whose tangent is t. */
function rotate({ data, cols }: Rows, i: number, j: number, t: number): void {
  const c = 1 / Math.sqrt(1 + t * t);
  const s = c * t;
  for (let p = i * cols, q = j * cols, end = p + cols; p < end; p++, q++) {
    const x = data[p]!;
    const y = data[q]!;
    data[p] = c * x - s * y;
    data[q] = s * x + c * y;
  }
}
