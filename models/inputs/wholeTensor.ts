import type { Tensor } from '../../src/tensor/tensor.js';
import type { PieceDecoder } from './content.js';

/** A tensor that comes in one piece. */
export class WholeDecoder implements PieceDecoder {
  readonly #decode: (bytes: Uint8Array) => Promise<Tensor>;
  #tensor: Tensor | undefined;

  constructor(decode: (bytes: Uint8Array) => Promise<Tensor>) {
    this.#decode = decode;
  }

  async add(_piece: number, bytes: Uint8Array): Promise<void> {
    this.#tensor = await this.#decode(bytes);
  }

  get complete(): boolean {
    return this.#tensor !== undefined;
  }

  get cosine(): number {
    return this.complete ? 1 : 0;
  }

  reconstruct(): undefined {
    return undefined;
  }

  reconstructTensor(): Tensor | undefined {
    return this.#tensor;
  }
}
