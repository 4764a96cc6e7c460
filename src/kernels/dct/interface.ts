/**
 * A matrix that goes into a kernel or comes out: an array, or a function that fills (input) or consumes (output) one
 * stretch after the other, in order, so that the matrix needs no array of its own. `values` begins at element `start`;
 * it is valid only during the call, and no kernel may be called meanwhile.
 */
export type Stretches = Float32Array | ((values: Float32Array, start: number) => void);

export interface DctKernels {
  /** Orthonormal 2-D DCT-II of a row-major matrix, rows then columns. `out` may be `data`. */
  dct2d(data: Stretches, rows: number, cols: number, out: Stretches): void;
  /** The inverse: orthonormal 2-D DCT-III. */
  idct2d(data: Stretches, rows: number, cols: number, out: Stretches): void;
}
