/**
 * The inner loops that decide the speed, behind one interface with two implementations: `portable` (TypeScript,
 * there at once, needs nothing) and `wasm` (SIMD, loaded once). Both give the same results.
 */
export interface Kernels {
  readonly implementation: 'portable' | 'wasm';
  /** XXH3-64 with seed 0. */
  xxh3(bytes: Uint8Array): bigint;
  /**
   * Decodes one raw LZ4 block so that it fills `out` exactly; reads and writes nothing outside the two.
   * @throws CodecError
   */
  lz4DecompressInto(block: Uint8Array, out: Uint8Array): void;
  /** One raw LZ4 block that keeps the end-of-block rules. */
  lz4Compress(data: Uint8Array): Uint8Array;
  /** Orthonormal 2-D DCT-II of a row-major matrix, rows then columns. `out` may be `data`. */
  dct2d(data: Float32Array, rows: number, cols: number, out: Float32Array): void;
  /** The inverse: orthonormal 2-D DCT-III. */
  idct2d(data: Float32Array, rows: number, cols: number, out: Float32Array): void;
}
