import { allocating } from '../checks/limits.js';
import { elementCount } from '../tensor/dtype.js';

/** Where the elements of a tensor are in its storage. */
export interface Strided {
  readonly shape: readonly number[];
  /** Elements between neighbours along each dimension. */
  readonly strides: readonly number[];
  /** Bytes of an element, and of a number in it: a complex one has two. */
  readonly elementSize: number;
  readonly numberSize: number;
  readonly isBigEndian: boolean;
}

/**
 * The elements of a tensor, row by row and little-endian.
 * @param bytes of its storage, from its first element on
 */
export function stridedElements(bytes: Uint8Array, tensor: Strided): Uint8Array {
  const { shape, strides, elementSize, numberSize, isBigEndian } = tensor;
  const count = elementCount(shape);
  const out = allocating(() => new Uint8Array(count * elementSize));
  const at = shape.map(() => 0);
  const last = shape.length - 1;
  const [length, step] = last < 0 ? [1, 0] : [shape[last]!, strides[last]! * elementSize];
  let row = 0;
  for (let to = 0; to < out.length; ) {
    for (let i = 0, from = row; i < length; i++, from += step) {
      for (let byte = 0; byte < elementSize; byte++) out[to++] = bytes[from + byte]!;
    }
    for (let k = last - 1; k >= 0; k--) {
      at[k]! += 1;
      row += strides[k]! * elementSize;
      if (at[k]! < shape[k]!) break;
      row -= shape[k]! * strides[k]! * elementSize;
      at[k] = 0;
    }
  }
  if (isBigEndian && numberSize > 1) {
    for (let start = 0; start < out.length; start += numberSize)
      out.subarray(start, start + numberSize).reverse();
  }
  return out;
}
