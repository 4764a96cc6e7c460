import type { Kernels } from '../../src/kernels/kernels.js';

/** Bytes that are hashed at a time. Part of the format. */
export const HASH_PIECE_SIZE = 2 ** 20;

/**
 * The hash of a tensor's bytes in a manifest: XXH3-64 of the XXH3-64 (u64, little-endian) of each MiB. It can be
 * computed from a stream by the fastest kernel, and of all pieces in parallel.
 */
export class TensorHash {
  readonly #xxh3: Kernels['xxh3'];
  readonly #hashes: bigint[] = [];
  /** The piece that is being filled. */
  #partial: Uint8Array = new Uint8Array(0);
  #filled = 0;

  constructor({ xxh3 }: Pick<Kernels, 'xxh3'>) {
    this.#xxh3 = xxh3;
  }

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + HASH_PIECE_SIZE - this.#filled);
      at += part.length;
      if (part.length === HASH_PIECE_SIZE) {
        this.#hashes.push(this.#xxh3(part));
        continue;
      }
      this.#partial = withRoom(this.#partial, this.#filled, this.#filled + part.length);
      this.#partial.set(part, this.#filled);
      this.#filled += part.length;
      if (this.#filled === HASH_PIECE_SIZE) this.#hashPartial(this.#partial);
    }
  }

  /** 16 hexadecimal digits, the most significant first. Nothing can be added after it. */
  digest(): string {
    if (this.#filled > 0) this.#hashPartial(this.#partial);
    const list = new DataView(new ArrayBuffer(8 * this.#hashes.length));
    for (const [i, hash] of this.#hashes.entries()) list.setBigUint64(8 * i, hash, true);
    return this.#xxh3(new Uint8Array(list.buffer)).toString(16).padStart(16, '0');
  }

  #hashPartial(piece: Uint8Array): void {
    this.#hashes.push(this.#xxh3(piece.subarray(0, this.#filled)));
    this.#filled = 0;
  }
}

/** The same bytes in an array that has room for `needed`: many tensors are far smaller than a piece. */
function withRoom(bytes: Uint8Array, filled: number, needed: number): Uint8Array {
  if (needed <= bytes.length) return bytes;
  const grown = new Uint8Array(Math.min(HASH_PIECE_SIZE, Math.max(needed, 2 * bytes.length)));
  grown.set(bytes.subarray(0, filled));
  return grown;
}
