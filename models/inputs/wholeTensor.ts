import { oneStep, type Steps } from '../../src/async/steps.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import type { RandomAccessSource } from '../../src/source.js';
import { type Tensor, viewElements } from '../../src/tensor/tensor.js';
import type { PlainTensor } from '../rows.js';
import { tensorWeight } from '../tensorWeight.js';
import type { LoadableTensor, PieceDecoder, PieceFile } from './content.js';

interface StoredTensor extends PlainTensor {
  readonly byteLength: number;
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
    readRows: rowReader({ name, dtype, shape, offset }, source),
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

/** Reads rows of a tensor whose elements are stored plain. */
export function rowReader(
  tensor: PlainTensor,
  source: RandomAccessSource,
): NonNullable<LoadableTensor['readRows']> {
  return async (...rows) => {
    const { readPlainRows } = await import('../rows.js');
    return readPlainRows(tensor, source, ...rows);
  };
}
