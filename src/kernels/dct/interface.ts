import type { Steps } from '../../async/steps.js';

/**
 * The input or output matrix of a kernel: an array, or a function that fills (input) or consumes (output) it in
 * stretches, in order, so that the matrix needs no array. `values` begins at element `start`; it is valid only during
 * the call, in which no kernel may be called.
 */
export type Stretches = Float32Array | ((values: Float32Array, start: number) => void);

/** The discrete cosine transform in synchronous calls. */
export interface DctKernels {
  /** Orthonormal 2-D DCT-II of a row-major matrix, rows then columns. `out` may be `data`. */
  dct2d(data: Stretches, rows: number, cols: number, out: Stretches): void;
  /** The inverse: orthonormal 2-D DCT-III. */
  idct2d(data: Stretches, rows: number, cols: number, out: Stretches): void;
  /** The inverse in steps of some milliseconds, except that of a single row, which is one step. */
  idct2dSteps(data: Stretches, rows: number, cols: number, out: Stretches): Steps<void>;
}
