import type { Steps } from '../src/async/steps.js';
import { allocating } from '../src/checks/limits.js';
import { type TensorData, viewBytes, viewElements } from '../src/tensor/tensor.js';

/** Rows and columns that are transposed together. */
const TURN = 64;

/** The elements of a matrix, column by column. In steps. */
export function* transposed(data: TensorData, rows: number, columns: number): Steps<TensorData> {
  const out = allocating(() => new (data.constructor as typeof Float32Array)(data.length)) as TensorData;
  // As bits, because a NaN may change its payload when it passes through numbers; of eight bytes in two words.
  const bits = data.BYTES_PER_ELEMENT === 1 ? 'U8' : data.BYTES_PER_ELEMENT === 2 ? 'U16' : 'U32';
  const [from, to] = [data, out].map((one) => viewElements(bits, viewBytes(one))) as [Uint8Array, Uint8Array];
  const words = data.BYTES_PER_ELEMENT === 8 ? 2 : 1;
  // Squares, so that neither side leaves the processor's caches.
  for (let row = 0; row < rows; row += TURN) {
    for (let column = 0; column < columns; column += TURN) {
      const [lastRow, lastColumn] = [Math.min(row + TURN, rows), Math.min(column + TURN, columns)];
      for (let r = row; r < lastRow; r++)
        for (let c = column; c < lastColumn; c++)
          for (let word = 0; word < words; word++)
            to[(c * rows + r) * words + word] = from[(r * columns + c) * words + word]!;
    }
    yield;
  }
  return out;
}
