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
