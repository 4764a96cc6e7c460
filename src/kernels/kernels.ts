import type { DequantizeGroups } from '../tensor/dequantizeGroups.js';
import type { EmbeddedKernels } from './embedded/interface.js';
import type { Matrix } from './linear/matrix.js';

/**
 * The inner loops that decide the speed, behind one interface with two implementations: `portable` (TypeScript,
 * there at once, needs nothing) and `wasm` (SIMD, loaded once). Both give the same results.
 */
export interface Kernels extends ChecksumKernels, FloatKernels, Lz4Kernels, SumKernels, ZstdKernels {
  readonly implementation: 'portable' | 'wasm';
  /** Orthonormal 2-D DCT-II of a row-major matrix, rows then columns. `out` may be `data`. */
  dct2d(data: Stretches, rows: number, cols: number, out: Stretches): void;
  /** The inverse: orthonormal 2-D DCT-III. */
  idct2d(data: Stretches, rows: number, cols: number, out: Stretches): void;
  /**
   * Goes through the rows g_j of the Gaussian matrix that `seed` stands for: normals of the format's generator
   * (`SeededRng`), row by row. With `data`, first products_j = Σ_i g_ji data_i; without, `products` is input. Then
   * sums_i += Σ_j g_ji products_j, and squares_i += Σ_j g_ji² where they are wanted. `products` has a place a row, the
   * other arrays one a column.
   */
  gaussianRows(
    seed: bigint,
    data: Float64Array | undefined,
    products: Float64Array,
    sums: Float64Array,
    squares?: Float64Array,
  ): void;
  readonly embedded: EmbeddedKernels;
  /**
   * Gives back working memory that large inputs have made grow; the next call takes it anew. Kernels that are not
   * used do so by themselves after a while.
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
   * @param check gets the XXH3-64 of `block` before anything is decoded; it may be called again with the same
   * @throws CodecError; what `check` throws
   */
  lz4DecompressInto(block: Uint8Array, out: Uint8Array, check?: (xxh3: bigint) => void): void;
  /** One raw LZ4 block that keeps the end-of-block rules. */
  lz4Compress(data: Uint8Array): Uint8Array;
}

export interface ZstdKernels {
  /**
   * Decodes the blocks of one Zstandard frame, from offset `start` to the end of `frame`, so that they fill `out`
   * exactly; reads and writes nothing outside the two. The frame's header and checksum are the caller's.
   * @throws CodecError
   */
  zstdDecompressInto(frame: Uint8Array, start: number, out: Uint8Array): void;
}

/**
 * A matrix that goes into a kernel or comes out: an array, or a function that fills (input) or uses up (output) one
 * stretch after the other, in order: then the matrix needs no array of its own. `values` begins at element `start`; it
 * is good only during the call, and no kernel may be called meanwhile.
 */
export type Stretches = Float32Array | ((values: Float32Array, start: number) => void);

/** The same functions as in `src/float.ts` and `src/dequantizeGroups.ts`, with the same results. */
export interface FloatKernels {
  bfloat16ToFloat32(src: Uint16Array, out?: Float32Array): Float32Array;
  float32ToBfloat16(src: Float32Array, out?: Uint16Array): Uint16Array;
  halfToFloat32(src: Uint16Array, out?: Float32Array): Float32Array;
  float32ToHalf(src: Float32Array, out?: Uint16Array): Uint16Array;
  readonly dequantizeGroups: DequantizeGroups;
}

/** Sums of products, in which low-rank tensors come. */
export interface SumKernels {
  /**
   * `out` += a·b, row-major: the caller makes sure that a.cols = b.rows and that both lie within their arrays. The products of up to 256 columns of a are summed in double
   * precision before they are rounded into `out`.
   */
  addProduct(a: Matrix, b: Matrix, out: Float32Array): void;
}
