import type { CompressionAlgorithm } from '../codecs/codec.js';

/** The numbers of the HoloTensor format, under the names of the reference. */

/** "HTNS", little-endian. */
export const HOLO_MAGIC = 0x534e5448;
/** The only version. */
export const HOLO_VERSION = 1;
/** Bytes of the header. */
export const HOLO_HEADER_SIZE = 96;
/** Dimensions that the header has room for. */
export const HOLO_MAX_RANK = 4;
/** The number of fragments is a u16. */
export const HOLO_MAX_FRAGMENTS = 0xffff;
/** Fragment offsets are u32, counted from the first byte after the index. */
export const HOLO_MAX_DATA_BYTES = 0xffff_ffff;
/** Bytes of an entry of the fragment index. */
export const FRAGMENT_INDEX_ENTRY_SIZE = 24;

/** Bytes 88 to 95 are XXH3-64 of bytes 0 to 87. */
export const HOLO_FLAG_HEADER_CHECKSUM = 0x0001;
/** Index entries hold XXH3-64 of the stored bytes. */
export const HOLO_FLAG_FRAGMENT_CHECKSUMS = 0x0002;
/** Quantization metadata follows the header (not in the reference's files, although they set the flag). */
export const HOLO_FLAG_QUANTIZATION = 0x0004;
/** The quality curve was fitted to this tensor. */
export const HOLO_FLAG_QUALITY_CURVE = 0x0008;
/** Each fragment adds at most as much quality as the one before it. */
export const HOLO_FLAG_ESSENTIAL_FIRST = 0x0010;
/** Any subset of the same size reconstructs with the same quality. */
export const HOLO_FLAG_INTERLEAVED = 0x0020;
/** holostream's: bytes 82 to 85 are the tensor's L2 norm. */
export const HOLO_FLAG_NORM = 0x0040;

/** Entry flag: the payload is one Zstd frame. */
export const FRAGMENT_FLAG_ZSTD = 0x0001;
/** Entry flag, holostream's: the payload is one raw LZ4 block. */
export const FRAGMENT_FLAG_LZ4 = 0x0002;
/** The entry flag of each algorithm. */
export const FRAGMENT_FLAGS: Readonly<Record<CompressionAlgorithm, number>> = {
  zstd: FRAGMENT_FLAG_ZSTD,
  lz4: FRAGMENT_FLAG_LZ4,
};
