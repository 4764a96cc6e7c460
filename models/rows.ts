import { ArgumentError } from '../src/errors.js';
import { type SafetensorsDType, safetensorsByteLength } from '../src/safetensors/header.js';
import type { AbortOptions, RandomAccessSource } from '../src/source.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { viewElements } from '../src/tensor/views.js';

interface StoredTensor {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
}

/** Reads rows of a tensor whose elements stand at `offset` as they are. */
export function rowReader({ name, dtype, shape }: StoredTensor, source: RandomAccessSource, offset: number) {
  return async (start: number, end: number, options: AbortOptions): Promise<Tensor> => {
    const [rows, ...rest] = shape;
    checkRows(name, rows, start, end);
    const rowSize = safetensorsByteLength(dtype, rest);
    if (rowSize === undefined) throw new ArgumentError('rows of this tensor do not begin at bytes', { name });
    const bytes = await source.read(offset + start * rowSize, (end - start) * rowSize, options);
    return { dtype, shape: [end - start, ...rest], data: viewElements(dtype, bytes) };
  };
}

/** @throws ArgumentError */
export function checkRows(name: string, rows: number | undefined, start: number, end: number): void {
  if (rows === undefined) throw new ArgumentError('a tensor of rank 0 has no rows', { name });
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end < start || end > rows) {
    const [expected, actual] = [`within 0 to ${rows}`, `${start} to ${end}`];
    throw new ArgumentError('row range', { name, expected, actual });
  }
}
