import { finish, type Steps } from '../../async/steps.js';
import type { SumKernels } from '../../kernels/linear/interface.js';
import { type Matrix, rowRange } from '../../kernels/linear/matrix.js';
import type { MatrixShape } from '../encoding.js';
import { energyOf } from '../energy.js';
import { componentLength, type LowRankPayload } from './payload.js';

/** Products that are added in a step: some milliseconds. */
const STEP_PRODUCTS = 2 ** 24;
const MIN_STEP_ROWS = 64;

/**
 * The sum of the fragments so far. The components of one fragment are summed in double precision and rounded once (256
 * at a time), so that the order of the fragments hardly matters.
 */
export class LowRankSum {
  /** Allocated with the first fragment. */
  #values: Float32Array | undefined;
  readonly #shape: MatrixShape;
  readonly #kernels: SumKernels;
  #energy: number | undefined = 0;

  constructor(shape: MatrixShape, kernels: SumKernels) {
    this.#shape = shape;
    this.#kernels = kernels;
  }

  /** rows × cols, row-major. */
  get values(): Float32Array {
    this.#values ??= new Float32Array(this.#shape.rows * this.#shape.cols);
    return this.#values;
  }

  /** ‖values‖², computed on first use after a change. */
  get energy(): number {
    this.#energy ??= energyOf(this.values);
    return this.#energy;
  }

  add(payload: LowRankPayload): void {
    finish(this.adding(payload));
  }

  /** The same in steps of some milliseconds: row after row. */
  *adding({ components, values }: LowRankPayload): Steps<void> {
    if (components === undefined) {
      const sum = this.values;
      for (let i = 0; i < values.length; i++) sum[i]! += values[i]!;
    } else if (components > 0) yield* this.#addComponents(components, values);
    this.#energy = undefined;
  }

  *#addComponents(components: number, values: Float32Array): Steps<void> {
    const { rows, cols } = this.#shape;
    const length = componentLength(this.#shape);
    const u = new Float64Array(components * rows);
    for (let k = 0; k < components; k++) {
      const sigma = values[k * length]!;
      for (let i = 0; i < rows; i++) u[k * rows + i] = sigma * values[k * length + 1 + i]!;
    }
    const left: Matrix = { data: u, offset: 0, rows, cols: components, rowStride: 1, colStride: rows };
    const right: Matrix = {
      data: values,
      offset: 1 + rows,
      rows: components,
      cols,
      rowStride: length,
      colStride: 1,
    };
    const sum = this.values;
    // Of many rows at a time, because the right factor is packed for each.
    const stepRows = Math.max(MIN_STEP_ROWS, Math.ceil(STEP_PRODUCTS / (components * cols)));
    for (let row = 0; row < rows; row += stepRows) {
      const end = Math.min(row + stepRows, rows);
      this.#kernels.addProduct(rowRange(left, row, end), right, sum.subarray(row * cols, end * cols));
      this.#energy = undefined;
      if (end < rows) yield;
    }
  }
}
