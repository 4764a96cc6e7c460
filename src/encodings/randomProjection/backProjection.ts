import { LimitError } from '../../errors.js';

/** Normals to draw, 2^32: a minute or two in plain TypeScript; 256 × 256 elements in the reference's sizes. */
const MAX_NORMALS = 2 ** 32;

/** @throws LimitError for a Gaussian projection that takes minutes, saying what to use instead */
export function assertFeasible(normals: number): void {
  if (normals <= MAX_NORMALS) return;
  throw new LimitError(
    "the Gaussian projection of this tensor takes minutes; use matrix 'orthonormal', or force it",
    { expected: `at most ${MAX_NORMALS} random numbers`, actual: normals },
  );
}

/** The reference's estimate: a weighted mean over all rows. */
export class BackProjection {
  /** Σ_j g_ji (g_j · x), the right side of the normal equations. */
  readonly sums: Float64Array;
  /** Σ_j g_ji² */
  readonly squares: Float64Array;

  constructor(elements: number) {
    this.sums = new Float64Array(elements);
    this.squares = new Float64Array(elements);
  }

  write(out: Float32Array): void {
    for (let i = 0; i < out.length; i++) {
      const square = this.squares[i]!;
      out[i] = square === 0 ? 0 : this.sums[i]! / square;
    }
  }
}
