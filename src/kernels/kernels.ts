/**
 * The inner loops that decide the speed, behind one interface with two implementations: `portable` (TypeScript,
 * there at once, needs nothing) and `wasm` (SIMD, loaded once). Both give the same results.
 */
export interface Kernels extends ChecksumKernels, FloatKernels, Lz4Kernels {
  readonly implementation: 'portable' | 'wasm';
  /** Orthonormal 2-D DCT-II of a row-major matrix, rows then columns. `out` may be `data`. */
  dct2d(data: Float32Array, rows: number, cols: number, out: Float32Array): void;
  /** The inverse: orthonormal 2-D DCT-III. */
  idct2d(data: Float32Array, rows: number, cols: number, out: Float32Array): void;
  /**
   * Gives back working memory that large inputs have made grow; the next call takes it anew. Decoders of large
   * tensors call it when they are closed.
   */
  release(): void;
}

export interface ChecksumKernels {
  /** XXH3-64 with seed 0. */
  xxh3(bytes: Uint8Array): bigint;
}

export interface Lz4Kernels {
  /**
   * Decodes one raw LZ4 block so that it fills `out` exactly; reads and writes nothing outside the two.
   * @throws CodecError
   */
  lz4DecompressInto(block: Uint8Array, out: Uint8Array): void;
  /** One raw LZ4 block that keeps the end-of-block rules. */
  lz4Compress(data: Uint8Array): Uint8Array;
}

/** The same functions as in `src/float.ts`, with the same results. */
export interface FloatKernels {
  bfloat16ToFloat32(src: Uint16Array, out?: Float32Array): Float32Array;
  float32ToBfloat16(src: Float32Array, out?: Uint16Array): Uint16Array;
  halfToFloat32(src: Uint16Array, out?: Float32Array): Float32Array;
  float32ToHalf(src: Float32Array, out?: Uint16Array): Uint16Array;
}
