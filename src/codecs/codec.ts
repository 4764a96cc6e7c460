import type { BytesLike } from '../bytes/binary.js';
import { check, oneOf, type Rule, type Rules, wholeNumber } from '../checks/options.js';
import { FormatError } from '../errors.js';

/** The code of each algorithm in HCT and HoloTensor headers is its index in this table. */
export const COMPRESSION_ALGORITHMS = ['lz4', 'zstd'] as const;
/** How blocks of HCT files and payloads of fragments are compressed. */
export type CompressionAlgorithm = (typeof COMPRESSION_ALGORITHMS)[number];

export const ALGORITHM: Rule<CompressionAlgorithm> = /* @__PURE__ */ oneOf(COMPRESSION_ALGORITHMS);

/**
 * Which implementation does the work; 'auto' takes the fastest of holostream's that this engine allows, and for Zstd's encoder
 * the runtime's own where it has one. 'native' is the runtime's own, whose decoder accepts some corrupt blocks.
 */
export type Implementation = 'auto' | 'portable' | 'wasm' | 'native';

export const IMPLEMENTATION: Rule<Implementation> = /* @__PURE__ */ oneOf([
  'auto',
  'portable',
  'wasm',
  'native',
]);

/** The default of libzstd (ZSTD_CLEVEL_DEFAULT). */
export const DEFAULT_ZSTD_LEVEL = 3;

/** How hard a codec compresses. */
export interface CompressOptions {
  /** Zstd level, 1 to 19; LZ4 has none. Default 3. */
  readonly level?: number | undefined;
}

export const COMPRESS_RULES: Rules<CompressOptions> = { level: /* @__PURE__ */ wholeNumber(1, 19) };

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
  compress(data: BytesLike, options?: CompressOptions): Uint8Array;
}

/** @throws FormatError for a code that neither format knows; `offset` is where it stands in the file */
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
  check('algorithm', algorithm, ALGORITHM);
  return COMPRESSION_ALGORITHMS.indexOf(algorithm);
}
