import { ArgumentError, FormatError } from '../errors.js';

/** The code of each algorithm in HCT and HoloTensor headers is its index in this table. */
export const COMPRESSION_ALGORITHMS = ['lz4', 'zstd'] as const;
export type CompressionAlgorithm = (typeof COMPRESSION_ALGORITHMS)[number];

/** Which implementation does the work; 'auto' takes the fastest that this engine offers. */
export type Implementation = 'auto' | 'portable' | 'wasm' | 'native';

/** The default of libzstd (ZSTD_CLEVEL_DEFAULT). */
export const DEFAULT_ZSTD_LEVEL = 3;

export interface CompressOptions {
  /** Zstd level, 1 to 19; LZ4 has none. Default 3. */
  readonly level?: number | undefined;
}

/** Decompresses whole blocks in memory. It is synchronous, because it has been loaded before. */
export interface BlockDecoder {
  readonly algorithm: CompressionAlgorithm;
  readonly implementation: Exclude<Implementation, 'auto'>;
  /**
   * Decodes `block` into exactly `out`; reads and writes nothing else.
   * @throws CodecError on every structural error, and when the block decodes to fewer or more bytes
   */
  decompressInto(block: Uint8Array, out: Uint8Array): void;
  /**
   * The same, but passes the XXH3-64 of `block` to `check` before decoding. Implementations have it if one copy into
   * the memory of the kernels serves both.
   * @throws also what `check` throws
   */
  checkAndDecompressInto?(block: Uint8Array, out: Uint8Array, check: (xxh3: bigint) => void): void;
  /** How many bytes `block` says that it decodes to; undefined when it does not say. Nothing else of it is checked. */
  contentSize?(block: Uint8Array): number | undefined;
}

/** One compression algorithm in both directions. */
export interface Codec extends BlockDecoder {
  /** One raw LZ4 block or one Zstandard frame. The result is the caller's own. */
  compress(data: Uint8Array, options?: CompressOptions): Uint8Array;
}

export function compressionFromCode(code: number, offset?: number): CompressionAlgorithm {
  const algorithm = COMPRESSION_ALGORITHMS[code];
  if (algorithm === undefined) {
    throw new FormatError('Cannot read the compression algorithm: unknown code', {
      offset,
      expected: COMPRESSION_ALGORITHMS.map((name, known) => `${known} (${name})`),
      actual: code,
    });
  }
  return algorithm;
}

/** @throws ArgumentError for an unknown algorithm */
export function compressionCode(algorithm: CompressionAlgorithm): number {
  const code = COMPRESSION_ALGORITHMS.indexOf(algorithm);
  if (code < 0) {
    throw new ArgumentError('Cannot use this compression algorithm', {
      expected: COMPRESSION_ALGORITHMS,
      actual: algorithm,
    });
  }
  return code;
}

/**
 * The entry of a table of algorithms, for a name that may come from a caller.
 * @throws ArgumentError for an unknown algorithm
 */
export function byAlgorithm<T>(
  table: Readonly<Record<CompressionAlgorithm, T>>,
  algorithm: CompressionAlgorithm,
): T {
  compressionCode(algorithm);
  return table[algorithm];
}
