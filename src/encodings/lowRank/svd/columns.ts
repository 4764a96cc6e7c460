import { type Matrix, matrix } from '../../../kernels/linear/matrix.js';

/** A row-major matrix that columns are appended to, up to a capacity. */
export class Columns {
  readonly capacity: number;
  readonly #data: Float64Array;
  readonly #rows: number;
  #cols = 0;

  constructor(rows: number, capacity: number) {
    this.#data = new Float64Array(rows * capacity);
    this.#rows = rows;
    this.capacity = capacity;
  }

  get cols(): number {
    return this.#cols;
  }

  get view(): Matrix {
    return { ...matrix(this.#data, this.#rows, this.capacity), cols: this.#cols };
  }

  append(block: Float64Array, cols: number): void {
    for (let i = 0; i < this.#rows; i++) {
      this.#data.set(block.subarray(i * cols, (i + 1) * cols), i * this.capacity + this.#cols);
    }
    this.#cols += cols;
  }

  /** Puts these columns in the place of all there are. */
  replace(block: Float64Array, cols: number): void {
    this.#cols = 0;
    this.append(block, cols);
  }
}
