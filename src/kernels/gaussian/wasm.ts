import { finish, type Steps } from '../../async/steps.js';
import { LimitError } from '../../errors.js';
import type { WasmSubject } from '../runtime/module.js';
import type { WasmRuntime } from '../runtime/runtime.js';
import type { GaussianKernels } from './interface.js';
import { portableGaussian } from './portable.js';
import { GAUSSIAN_WASM } from './wasm/gaussian.generated.js';

interface GaussianExports {
  jump(steps: number, matrix: number, scratch: number): void;
  spread(states: number, matrix: number): void;
  rows(
    count: number,
    quarter: number,
    states: number,
    matrix: number,
    data: number,
    products: number,
    sums: number,
    squares: number,
    pair: number,
  ): void;
}

const LANES = 4;
const MATRIX_BYTES = 512;
const SCRATCH_BYTES = 1024;
/** Four lanes of two rows. */
const STATES_BYTES = 64;
/** Normals that are drawn in a step: some milliseconds. */
const STEP_NORMALS = 2 ** 20;
/** Uniform numbers per normal. */
const DRAWS = 2;

interface Jumps {
  readonly columns: number;
  readonly toNextLane: Uint8Array;
  readonly toNextRow: Uint8Array;
}

export const wasmGaussian: WasmSubject<GaussianKernels> = { modules: { gaussian: GAUSSIAN_WASM }, link };

function link(runtime: WasmRuntime): GaussianKernels {
  /** The jump matrices of the row length used last, because solvers use the same one repeatedly. */
  let jumps: Jumps = { columns: 0, toNextLane: new Uint8Array(), toNextRow: new Uint8Array() };

  function jumpMatrix(steps: number): Uint8Array {
    return runtime.scope(() => {
      const matrix = runtime.allocate(MATRIX_BYTES);
      const scratch = runtime.allocate(SCRATCH_BYTES);
      runtime.exports<GaussianExports>('gaussian').jump(steps, matrix, scratch);
      return runtime.bytes(matrix, MATRIX_BYTES).slice();
    });
  }

  function jumpsOf(columns: number): Jumps {
    if (jumps.columns !== columns) {
      const toNextLane = jumpMatrix(DRAWS * Math.ceil(columns / LANES));
      jumps = { columns, toNextLane, toNextRow: jumpMatrix(DRAWS * columns) };
    }
    return jumps;
  }

  const gaussianRows: GaussianKernels['gaussianRows'] = (...args) => {
    try {
      const [, , , sums] = args;
      const jumpsOfRow = jumpsOf(sums.length);
      runtime.scope(() => finish(rows(runtime, jumpsOfRow, ...args)));
    } catch (error) {
      if (!(error instanceof LimitError)) throw error;
      // Larger than a wasm memory.
      portableGaussian.gaussianRows(...args);
    }
  };

  const gaussianRowsSteps: GaussianKernels['gaussianRowsSteps'] = function* (
    seed,
    data,
    products,
    sums,
    squares,
  ) {
    if (products.length * sums.length < STEP_NORMALS) {
      gaussianRows(seed, data, products, sums, squares);
      return;
    }
    // Others may add to the sums between two steps.
    const [ownSums, ownSquares] = [new Float64Array(sums.length), squares && new Float64Array(sums.length)];
    const args = [seed, data, products, ownSums, ownSquares] as const;
    try {
      yield* runtime.apart((own) => rows(own, jumpsOf(sums.length), ...args));
    } catch (error) {
      if (!(error instanceof LimitError)) throw error;
      yield* portableGaussian.gaussianRowsSteps(...args);
    }
    for (let i = 0; i < sums.length; i++) sums[i]! += ownSums[i]!;
    if (squares !== undefined) for (let i = 0; i < sums.length; i++) squares[i]! += ownSquares![i]!;
  };
  return { gaussianRows, gaussianRowsSteps };
}

function* rows(
  runtime: WasmRuntime,
  { toNextLane, toNextRow }: Jumps,
  seed: bigint,
  data: Float64Array | undefined,
  products: Float64Array,
  sums: Float64Array,
  squares: Float64Array | undefined,
): Steps<void> {
  const quarter = Math.ceil(sums.length / LANES);
  const states = runtime.allocate(STATES_BYTES);
  const matrix = runtime.allocate(MATRIX_BYTES);
  const pair = runtime.allocate(2 * 16 * quarter);
  const productsAt = runtime.allocate(products.byteLength);
  const [dataAt, sumsAt, squaresAt] = [data, sums, squares].map((values) =>
    values === undefined ? 0 : runtime.allocate(32 * quarter),
  ) as [number, number, number];
  if (data !== undefined) runtime.load(toLanes(data, quarter), dataAt);
  runtime.load(toLanes(sums, quarter), sumsAt);
  if (squares !== undefined) runtime.load(toLanes(squares, quarter), squaresAt);
  runtime.load(products, productsAt);
  runtime.load(BigUint64Array.of(seed + 1n), states);
  runtime.load(toNextLane, matrix);
  const kernel = runtime.exports<GaussianExports>('gaussian');
  kernel.spread(states, matrix);
  runtime.load(toNextRow, matrix);
  // Pairs of rows: the states are then those of the next row.
  const stepRows = 2 * Math.ceil(STEP_NORMALS / Math.max(1, sums.length) / 2);
  for (let row = 0; row < products.length; row += stepRows) {
    const count = Math.min(stepRows, products.length - row);
    kernel.rows(count, quarter, states, matrix, dataAt, productsAt + 8 * row, sumsAt, squaresAt, pair);
    yield;
  }
  runtime.store(productsAt, products);
  const lanes = new Float64Array(LANES * quarter);
  runtime.store(sumsAt, lanes);
  fromLanes(lanes, quarter, sums);
  if (squares === undefined) return;
  runtime.store(squaresAt, lanes);
  fromLanes(lanes, quarter, squares);
}

/** Moves value l × quarter + q to position 4 q + l; positions after the last value hold 0. */
function toLanes(values: Float64Array, quarter: number): Float64Array {
  const lanes = new Float64Array(LANES * quarter);
  for (let i = 0; i < values.length; i++) lanes[LANES * (i % quarter) + Math.floor(i / quarter)] = values[i]!;
  return lanes;
}

function fromLanes(lanes: Float64Array, quarter: number, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = lanes[LANES * (i % quarter) + Math.floor(i / quarter)]!;
}
