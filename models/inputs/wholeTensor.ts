import { assertRows } from '../../readers/tensorReader.js';
import { oneStep, type Steps } from '../../src/async/steps.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { ArgumentError } from '../../src/errors.js';
import { type SafetensorsDType, safetensorsByteLength } from '../../src/safetensors/header.js';
import type { RandomAccessSource } from '../../src/source.js';
import { type Tensor, viewElements } from '../../src/tensor/tensor.js';
import { tensorWeight } from '../tensorWeight.js';
import type { LoadableTensor, PieceDecoder, PieceFile } from './content.js';

/** A tensor whose elements are stored plain. */
interface StoredTensor {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** Of its first byte in the file. */
  readonly offset: number;
}

/** The content of a plain tensor: it is loaded in one piece, and any rows can be read. */
export function storedTensor(
  { name, dtype, shape, byteLength, offset }: StoredTensor,
  source: RandomAccessSource,
  file: PieceFile,
): LoadableTensor {
  return {
    name,
    dtype,
    shape,
    byteLength,
    weight: tensorWeight(shape),
    pieces: [{ file, offset, length: byteLength, cosine: 1 }],
    createDecoder: async () =>
      new WholeDecoder(async (bytes) => ({ dtype, shape, data: viewElements(dtype, bytes) })),
    readRows: rowReader({ name, dtype, shape }, source, offset),
    isStored: true,
  };
}

/** Decodes a tensor that is one piece. */
export class WholeDecoder implements PieceDecoder {
  readonly #decode: (bytes: Uint8Array, options: AbortOptions) => Promise<Tensor>;
  #tensor: Tensor | undefined;

  constructor(decode: (bytes: Uint8Array, options: AbortOptions) => Promise<Tensor>) {
    this.#decode = decode;
  }

  async add(_piece: number, bytes: Uint8Array, options: AbortOptions): Promise<void> {
    this.#tensor = await this.#decode(bytes, options);
  }

  get complete(): boolean {
    return this.#tensor !== undefined;
  }

  get cosine(): number {
    return this.complete ? 1 : 0;
  }

  reconstructingTensor(): Steps<Tensor | undefined> {
    return oneStep(() => this.#tensor);
  }
}

/** Reads rows of a tensor whose elements are stored plain from `offset` on. */
export function rowReader(
  { name, dtype, shape }: Pick<StoredTensor, 'name' | 'dtype' | 'shape'>,
  source: RandomAccessSource,
  offset: number,
) {
  return async (start: number, end: number, options: AbortOptions): Promise<Tensor> => {
    assertRows(shape, start, end, name);
    const rest = shape.slice(1);
    const rowSize = safetensorsByteLength(dtype, rest);
    if (rowSize === undefined)
      throw new ArgumentError('Cannot read rows of the tensor: they do not begin at bytes', { name });
    const bytes = await source.read(offset + start * rowSize, (end - start) * rowSize, options);
    return { dtype, shape: [end - start, ...rest], data: viewElements(dtype, bytes) };
  };
}
