import xxhash from 'xxhash-wasm';

/** XXH64 with seed 0 over bytes that come in pieces. */
export interface TensorHash {
  update(bytes: Uint8Array): void;
  /** 16 hexadecimal digits, the most significant first. */
  digest(): string;
}

/** Loads what makes the hashes of a manifest. XXH64 and not XXH3, because it is there in pieces: tensors may not fit memory. */
export async function loadTensorHash(): Promise<() => TensorHash> {
  const { create64 } = await xxhash();
  return () => {
    const state = create64();
    return {
      update: (bytes) => void state.update(bytes),
      digest: () => state.digest().toString(16).padStart(16, '0'),
    };
  };
}
