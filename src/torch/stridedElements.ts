import type { Steps } from '../async/steps.js';
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

/** Elements that one step of work copies. */
const STEP = 2 ** 17;

/**
 * The elements of a tensor, row by row and little-endian.
 * @param bytes of its storage, from its first element on
 */
export function* stridedElements(bytes: Uint8Array, tensor: Strided): Steps<Uint8Array> {
  const { shape, strides, elementSize, numberSize, isBigEndian } = tensor;
  const out = allocating(() => new Uint8Array(elementCount(shape) * elementSize));
  // Where each byte of an element comes from.
  const order = Array.from({ length: elementSize }, (_, byte) => {
    const within = byte % numberSize;
    return isBigEndian ? byte - within + (numberSize - 1 - within) : byte;
  });
  const at = shape.map(() => 0);
  const last = shape.length - 1;
  const [length, step] = last < 0 ? [1, 0] : [shape[last]!, strides[last]! * elementSize];
  let [row, left] = [0, STEP];
  for (let to = 0; to < out.length; ) {
    for (let i = 0, from = row; i < length; ) {
      const end = Math.min(length, i + left);
      left -= end - i;
      for (; i < end; i++, from += step) {
        for (let byte = 0; byte < elementSize; byte++) out[to++] = bytes[from + order[byte]!]!;
      }
      if (left > 0) continue;
      left = STEP;
      yield;
    }
    for (let k = last - 1; k >= 0; k--) {
      at[k]! += 1;
      row += strides[k]! * elementSize;
      if (at[k]! < shape[k]!) break;
      row -= shape[k]! * strides[k]! * elementSize;
      at[k] = 0;
    }
  }
  return out;
}
