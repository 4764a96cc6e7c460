import { LimitError } from '../errors.js';

/** Views of raw element bytes, by the safetensors name of the element type. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array;

/**
 * A tensor in memory, row-major. `data` holds the stored elements: F32 as numbers; F16 and BF16 as their 16-bit
 * patterns in a Uint16Array; I4 packed two to a byte (low nibble first). `toFloat32` turns any of them into numbers.
 */
export interface Tensor<D extends string = string> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/**
 * Cap on one tensor in memory, in bytes, unless the caller raises it by `maxBytes`: 1 GiB. A header of a few bytes must
 * not make a reader allocate more; the weights of one layer of today's language models stay below it.
 */
export const DEFAULT_MAX_TENSOR_BYTES = 2 ** 30;

/** @throws LimitError when a tensor is larger than the caller allows */
export function assertTensorFits(bytes: number, maxBytes = DEFAULT_MAX_TENSOR_BYTES, name?: string): void {
  if (bytes <= maxBytes) return;
  throw new LimitError('tensor larger than the cap (option maxBytes)', {
    name,
    expected: maxBytes,
    actual: bytes,
  });
}
