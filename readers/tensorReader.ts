import type { AbortOptions } from '../src/checks/abortOptions.js';
import { ArgumentError } from '../src/errors.js';
import type { DType } from '../src/tensor/dtype.js';
import { assertWithin, type Float16ArrayLike, type Tensor, type TensorData } from '../src/tensor/tensor.js';

/** What the readers of both formats have in common: random access to the tensor of one file. */
export interface TensorReader {
  readonly shape: readonly number[];
  /**
   * The whole tensor.
   * @throws LimitError when it is larger than the limits of `open` allow
   */
  readAll(options?: ReadAllOptions): Promise<Tensor<DType>>;
  /** Fills `out` with the bytes of the elements, in the tensor's own dtype, from byte `byteStart` of the tensor on. */
  readInto(out: Uint8Array, byteStart?: number, options?: AbortOptions): Promise<void>;
  /** Closes the source. */
  close(): Promise<void>;
}

export interface ReadAllOptions extends AbortOptions {
  /** The array to fill, which becomes the `data` of the tensor. Default: a new one. */
  readonly out?: TensorData | Float16ArrayLike | undefined;
}

/** @throws ArgumentError unless a tensor of this shape has these rows */
export function assertRows(
  shape: readonly number[],
  start: number,
  end: number,
  name: string | undefined,
): void {
  const [rows] = shape;
  if (rows === undefined) throw new ArgumentError('Cannot read rows of the tensor: its rank is 0', { name });
  assertWithin('rows', start, end, rows, { name });
}

/** Rows of a tensor in memory, as a view. */
export function rowsOf({ dtype, shape, data }: Tensor, start: number, end: number): Tensor {
  const elements = data as Uint8Array;
  const perRow = shape[0] === 0 ? 0 : elements.length / shape[0]!;
  const part = elements.subarray(start * perRow, end * perRow);
  return { dtype, shape: [end - start, ...shape.slice(1)], data: part };
}

/** The part of `out` that begins at `start`; undefined unless all of it is within `out`. */
export function within(out: Uint8Array, start: number, byteLength: number): Uint8Array | undefined {
  return start >= 0 && start + byteLength <= out.length ? out.subarray(start, start + byteLength) : undefined;
}

/** Copies the part of `bytes` that is within `out`, where they begin at `start` (which may be negative). */
export function copyOverlap(bytes: Uint8Array, start: number, out: Uint8Array): void {
  const from = Math.max(-start, 0);
  out.set(bytes.subarray(from, out.length - start), start + from);
}
