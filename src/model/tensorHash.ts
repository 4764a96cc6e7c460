import { Xxh64 } from '../kernels/portable/xxh64.js';

/**
 * The hash of a tensor's bytes that a manifest holds: XXH64, and not XXH3, because it takes the bytes in pieces.
 * Tensors may not fit memory.
 */
export class TensorHash {
  readonly #state = new Xxh64();

  update(bytes: Uint8Array): void {
    this.#state.update(bytes);
  }

  /** 16 hexadecimal digits, the most significant first. */
  digest(): string {
    return this.#state.digest().toString(16).padStart(16, '0');
  }
}
