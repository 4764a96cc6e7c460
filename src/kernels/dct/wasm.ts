import { finish, type Steps } from '../../async/steps.js';
import { ArgumentError, LimitError } from '../../errors.js';
import type { WasmSubject } from '../runtime/module.js';
import type { WasmRuntime } from '../runtime/runtime.js';
import type { DctKernels, Stretches } from './interface.js';
import { portableDct } from './portable.js';
import { DCT_WASM } from './wasm/dct.generated.js';
import { type DctPlan, dctPlan } from './wasm/plan.js';

type Direction = 'dct2d' | 'idct2d';

interface DctExports {
  rows(
    plan: number,
    inverse: boolean,
    stripe: number,
    groups: number,
    blocks: number,
    blockBytes: number,
    places: number,
    a: number,
    b: number,
    scratch: number,
  ): void;
  row(plan: number, inverse: boolean, at: number, work: number, scratch: number): void;
  columns(
    plan: number,
    inverse: boolean,
    blocks: number,
    blockBytes: number,
    count: number,
    a: number,
    b: number,
    scratch: number,
  ): void;
  collect(
    blocks: number,
    blockBytes: number,
    cols: number,
    places: number,
    count: number,
    exchanged: boolean,
    to: number,
  ): void;
}

/** Rows that share the lanes of the vectors, and columns of a block. */
const LANES = 8;
/** One complex number of four lanes. */
const COMPLEX_BYTES = 32;
/** Rows are read in stripes that stay in the second-level cache. */
const STRIPE_BYTES = 256 << 10;
/** They are written in larger ones: from about a megabyte on, engines copy without reading the target first. */
const OUT_STRIPE_BYTES = 1 << 20;
/** A matrix with fewer values takes some milliseconds: it is one step. */
const SMALL_VALUES = 2 ** 20;
/** Bytes of blocks that are transformed in a step: some milliseconds. */
const STEP_BYTES = 4 << 20;
/** Bytes after the last row that gathering four floats at a time may read. */
const OVERREAD_BYTES = 12;
/** Sums and differences of one butterfly of the largest direct radix. */
const SCRATCH_BYTES = 4096;

/** The shortest row that can be split over the lanes. */
const MIN_SPLIT_SIZE = 16;
/** For each number of a split transform: three buffers of complex floats. */
const SPLIT_BYTES = 3 * 8;

export const wasmDct: WasmSubject<DctKernels> = { modules: { dct: DCT_WASM }, link };

function link(runtime: WasmRuntime): DctKernels {
  function run(direction: Direction, data: Stretches, rows: number, cols: number, out: Stretches): void {
    checkLengths(data, rows, cols, out);
    if (rows * cols === 0) return;
    try {
      runtime.scope(() => finish(transform(runtime, direction, data, rows, cols, out)));
    } catch (error) {
      if (!(error instanceof LimitError)) throw error;
      // Larger than a wasm memory.
      portableDct[direction](data, rows, cols, out);
    }
  }

  function* idct2dSteps(data: Stretches, rows: number, cols: number, out: Stretches): Steps<void> {
    if (rows * cols < SMALL_VALUES) {
      run('idct2d', data, rows, cols, out);
      return;
    }
    checkLengths(data, rows, cols, out);
    try {
      yield* runtime.apart((own) => transform(own, 'idct2d', data, rows, cols, out));
    } catch (error) {
      if (!(error instanceof LimitError)) throw error;
      yield* portableDct.idct2dSteps(data, rows, cols, out);
    }
  }

  return {
    dct2d: (data, rows, cols, out) => run('dct2d', data, rows, cols, out),
    idct2d: (data, rows, cols, out) => run('idct2d', data, rows, cols, out),
    idct2dSteps,
  };
}

function checkLengths(data: Stretches, rows: number, cols: number, out: Stretches): void {
  for (const matrix of [data, out]) {
    if (typeof matrix === 'function' || matrix.length === rows * cols) continue;
    throw new ArgumentError('Cannot compute the DCT: the matrix does not have rows × cols values', {
      expected: rows * cols,
      actual: matrix.length,
    });
  }
}

function transform(
  runtime: WasmRuntime,
  direction: Direction,
  data: Stretches,
  rows: number,
  cols: number,
  out: Stretches,
): Steps<void> {
  // To a transform, a column is a row.
  return cols === 1
    ? transformMatrix(runtime, direction, data, 1, rows, out)
    : transformMatrix(runtime, direction, data, rows, cols, out);
}

function* transformMatrix(
  runtime: WasmRuntime,
  direction: Direction,
  data: Stretches,
  rows: number,
  cols: number,
  out: Stretches,
): Steps<void> {
  const give = typeof data === 'function' ? data : reading(data);
  const take = typeof out === 'function' ? out : writing(out);
  if (cols === 1) {
    const value = new Float32Array(1);
    give(value, 0);
    take(value, 0);
    return;
  }
  const inverse = direction === 'idct2d';
  const rowPlan = dctPlan(cols);
  if (rows === 1 && cols >= MIN_SPLIT_SIZE && rowPlan.fftSize % 4 === 0) {
    transformRow(runtime, rowPlan, inverse, give, take);
    return;
  }
  const columnPlan = dctPlan(rows);
  const rowBytes = cols * Float32Array.BYTES_PER_ELEMENT;
  const stripeRows = rowsOfStripe(STRIPE_BYTES, rows, rowBytes);
  const outBytes = typeof out === 'function' ? STRIPE_BYTES : OUT_STRIPE_BYTES;
  const outRows = rowsOfStripe(outBytes, rows, rowBytes);
  // One more row takes the contents of the unused lanes of the last group.
  const blockBytes = Math.ceil((rows + 1) / 2) * 2 * COMPLEX_BYTES;
  const blockCount = Math.ceil(cols / LANES);
  const workBytes = COMPLEX_BYTES * Math.max(rowPlan.fftSize, columnPlan.fftSize);

  const rowPlanAt = runtime.allocate(rowPlan.bytes.length);
  const columnPlanAt = runtime.allocate(columnPlan.bytes.length);
  const places = runtime.allocate((rows + LANES) * Uint32Array.BYTES_PER_ELEMENT);
  const scratch = runtime.allocate(SCRATCH_BYTES);
  const a = runtime.allocate(workBytes);
  const b = runtime.allocate(workBytes);
  const stripe = runtime.allocate(outRows * rowBytes + OVERREAD_BYTES);
  const blocks = runtime.allocate(blockBytes * blockCount);
  const kernel = runtime.exports<DctExports>('dct');

  runtime.load(rowPlan.bytes, rowPlanAt);
  runtime.load(columnPlan.bytes, columnPlanAt);
  runtime.load(rowPlaces(rows, rows > 1 && !inverse), places);
  for (let row = 0; row < rows; row += stripeRows) {
    const count = Math.min(stripeRows, rows - row);
    give(runtime.floats(stripe, count * cols), row * cols);
    const groups = Math.ceil(count / LANES);
    // Two rows share a transform, so large numbers in unused lanes would drown the rows beside them.
    runtime.bytes(stripe + count * rowBytes, (groups * LANES - count) * rowBytes).fill(0);
    kernel.rows(rowPlanAt, inverse, stripe, groups, blocks, blockBytes, places + 4 * row, a, b, scratch);
    yield;
  }
  const stepBlocks = Math.ceil(STEP_BYTES / blockBytes);
  for (let block = 0; rows > 1 && block < blockCount; block += stepBlocks) {
    const count = Math.min(stepBlocks, blockCount - block);
    kernel.columns(columnPlanAt, inverse, blocks + block * blockBytes, blockBytes, count, a, b, scratch);
    yield;
  }
  runtime.load(rowPlaces(rows, rows > 1 && inverse), places);
  for (let row = 0; row < rows; row += outRows) {
    const count = Math.min(outRows, rows - row);
    kernel.collect(blocks, blockBytes, cols, places + 4 * row, count, rows > 1 && inverse, stripe);
    take(runtime.floats(stripe, count * cols), row * cols);
    yield;
  }
}

/** A single row: its transform is split over the lanes, without blocks. */
function transformRow(
  runtime: WasmRuntime,
  { size, fftSize, bytes }: DctPlan,
  inverse: boolean,
  give: (values: Float32Array, start: number) => void,
  take: (values: Float32Array, start: number) => void,
): void {
  const plan = runtime.allocate(bytes.length);
  const scratch = runtime.allocate(SCRATCH_BYTES);
  const work = runtime.allocate(SPLIT_BYTES * fftSize);
  const row = runtime.allocate(Float32Array.BYTES_PER_ELEMENT * size);
  const kernel = runtime.exports<DctExports>('dct');

  runtime.load(bytes, plan);
  give(runtime.floats(row, size), 0);
  kernel.row(plan, inverse, row, work, scratch);
  take(runtime.floats(row, size), 0);
}

function reading(data: Float32Array): (values: Float32Array, start: number) => void {
  return (values, start) => values.set(data.subarray(start, start + values.length));
}

function writing(out: Float32Array): (values: Float32Array, start: number) => void {
  return (values, start) => out.set(values, start);
}

/** Whole groups of lanes, at least one, and no more than there are rows. */
function rowsOfStripe(stripeBytes: number, rows: number, rowBytes: number): number {
  const groups = Math.max(1, Math.floor(stripeBytes / rowBytes / LANES));
  return LANES * Math.min(groups, Math.ceil(rows / LANES));
}

/** The row of its block that each row becomes: folded for the column transform, or in order. */
function rowPlaces(rows: number, folded: boolean): Uint32Array {
  const places = new Uint32Array(rows + LANES).fill(rows);
  for (let row = 0; row < rows; row++) {
    places[row] = !folded ? row : row % 2 === 0 ? row / 2 : rows - 1 - (row - 1) / 2;
  }
  return places;
}
