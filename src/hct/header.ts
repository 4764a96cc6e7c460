import { asBytes, assertLength, type BytesLike, readU64, viewOf } from '../bytes/binary.js';
import { assertKind } from '../bytes/fileKind.js';
import { type AllLimits, checkLimit, type LimitsOption, limitsOf } from '../checks/limits.js';
import { type CompressionAlgorithm, compressionFromCode } from '../codecs/codec.js';
import { show } from '../errors/show.js';
import { ChecksumError, FormatError, UnsupportedError } from '../errors.js';
import { headerChecksum } from '../kernels/xxh3/headerChecksum.js';
import type { Hash } from '../kernels/xxh3/interface.js';
import { byteLengthOf, type DType, dtypeFromCode, elementCount } from '../tensor/dtype.js';
import { groupScaleCount, type QuantizationMetadata } from '../tensor/quantization.js';
import {
  FLAG_HEADER_CHECKSUM,
  FLAG_SHAPE_IN_EXTENSION,
  HCT_CHECKSUM_OFFSET,
  HCT_HEADER_SIZE,
  HCT_MAGIC,
  HCT_MAX_RANK,
  HCT_VERSION,
  HCT_VERSION_V2,
} from './constants.js';

/** The 64 bytes at the start of a file. Sizes in bytes. */
export interface HctHeader {
  readonly version: 1 | 2;
  readonly algorithm: CompressionAlgorithm;
  readonly dtype: DType;
  /** `FLAG_…` bits; 0 in version 1. */
  readonly flags: number;
  /** Of the whole tensor. */
  readonly originalSize: number;
  /** Of all blocks together, as stored. */
  readonly compressedSize: number;
  /** Of one block, uncompressed; the last one may be shorter. */
  readonly blockSize: number;
  readonly blockCount: number;
  /** As the header holds it: with `FLAG_SHAPE_IN_EXTENSION`, rank 1, and the true shape follows the blocks. */
  readonly shape: readonly number[];
}

export const VERSION = 4;
export const ALGORITHM = 8;
export const DTYPE = 9;
export const FLAGS = 10;
export const ORIGINAL_SIZE = 12;
export const COMPRESSED_SIZE = 20;
export const BLOCK_SIZE = 28;
export const BLOCK_COUNT = 32;
export const RANK = 36;
export const DIMENSIONS = 37;

/** Bytes of an index entry of version 1; those of version 2 have a checksum, and take twice as many. */
const LEAST_INDEX_ENTRY = 8;

/**
 * Reads and checks a header, either version.
 * @throws TruncatedError, FormatError, ChecksumError, UnsupportedError (rank ≥ 4), LimitError
 */
export function parseHctHeader(input: BytesLike, options: LimitsOption = {}): HctHeader {
  const bytes = asBytes(input);
  assertLength(bytes, HCT_HEADER_SIZE, 'the HCT header');
  if (viewOf(bytes).getUint32(0, true) !== HCT_MAGIC) assertKind(bytes, 'HCT');
  return parseHctHeaderBytes(bytes, limitsOf(options), headerChecksum);
}

/** The same by this hash, of all bytes of a header; what else they may be, the caller has found out. */
export function parseHctHeaderBytes(bytes: Uint8Array, limits: AllLimits, hash: Hash): HctHeader {
  const view = viewOf(bytes);
  const magic = view.getUint32(0, true);
  if (magic !== HCT_MAGIC) {
    throw new FormatError('Cannot read the HCT file: wrong magic', {
      offset: 0,
      expected: HCT_MAGIC,
      actual: magic,
    });
  }
  const version = view.getUint32(VERSION, true);
  if (version !== HCT_VERSION && version !== HCT_VERSION_V2) {
    throw new UnsupportedError('Cannot read the HCT file: unsupported version', {
      offset: VERSION,
      expected: '1 or 2',
      actual: version,
    });
  }
  const flags = view.getUint16(FLAGS, true);
  if (version === HCT_VERSION_V2) verifyHeaderChecksum(bytes, view, flags, hash);
  const header: HctHeader = {
    version,
    algorithm: compressionFromCode(view.getUint8(ALGORITHM), ALGORITHM),
    dtype: dtypeFromCode(view.getUint8(DTYPE), DTYPE),
    flags,
    originalSize: readU64(view, ORIGINAL_SIZE, 'Cannot read the HCT header: the original size'),
    compressedSize: readU64(view, COMPRESSED_SIZE, 'Cannot read the HCT header: the compressed size'),
    blockSize: view.getUint32(BLOCK_SIZE, true),
    blockCount: view.getUint32(BLOCK_COUNT, true),
    shape: parseShape(view, version),
  };
  checkSizes(header, limits);
  return header;
}

/**
 * A checksum that is present is checked even if the flags deny it: a flipped bit in the flags would otherwise disable
 * the check that finds it.
 */
function verifyHeaderChecksum(bytes: Uint8Array, view: DataView, flags: number, hash: Hash): void {
  const expected = view.getBigUint64(HCT_CHECKSUM_OFFSET, true);
  if ((flags & FLAG_HEADER_CHECKSUM) === 0 && expected === 0n) return;
  const actual = hash(bytes.subarray(0, HCT_CHECKSUM_OFFSET));
  if (actual !== expected) {
    throw new ChecksumError('Cannot read the HCT header: wrong checksum', {
      offset: HCT_CHECKSUM_OFFSET,
      expected,
      actual,
    });
  }
}

function parseShape(view: DataView, version: number): number[] {
  const rank = view.getUint8(RANK);
  if (rank > HCT_MAX_RANK) {
    throw new UnsupportedError('Cannot read the HCT header: unsupported rank', {
      offset: RANK,
      expected: `at most ${HCT_MAX_RANK}`,
      actual: rank,
    });
  }
  return Array.from({ length: rank }, (_, axis) => {
    const offset = DIMENSIONS + 8 * axis;
    const cutShort = version === HCT_VERSION_V2 && offset + 8 > HCT_CHECKSUM_OFFSET;
    return cutShort
      ? view.getUint16(offset, true) + view.getUint8(offset + 2) * 0x10000
      : readU64(view, offset, `Cannot read the HCT header: dimension ${axis}`);
  });
}

function checkSizes(header: HctHeader, limits: AllLimits): void {
  const { version, dtype, shape, originalSize, blockSize, blockCount } = header;
  const size = byteLengthOf(dtype, elementCount(shape));
  if (size !== originalSize) {
    throw new FormatError(`Cannot read the HCT header: wrong original size of ${dtype} ${show(shape)}`, {
      offset: ORIGINAL_SIZE,
      expected: size,
      actual: originalSize,
    });
  }
  if (originalSize > 0 && blockSize === 0) {
    throw new FormatError('Cannot read the HCT header: wrong block size', {
      offset: BLOCK_SIZE,
      expected: 'at least 1',
      actual: 0,
    });
  }
  const blocks = originalSize === 0 ? 0 : Math.ceil(originalSize / blockSize);
  if (blockCount !== blocks) {
    throw new FormatError('Cannot read the HCT header: wrong number of blocks', {
      offset: BLOCK_COUNT,
      expected: blocks,
      actual: blockCount,
    });
  }
  const indexSize = LEAST_INDEX_ENTRY * version * blockCount;
  checkLimit(limits, 'headerBytes', indexSize, 'Cannot read the HCT index: it is too long', {
    offset: BLOCK_COUNT,
  });
  const largest = Math.min(blockSize, originalSize);
  checkLimit(limits, 'tensorBytes', largest, 'Cannot read the HCT blocks: they are too large', {
    offset: BLOCK_SIZE,
  });
}

/** Uncompressed bytes in block `i`. */
export function blockLength(header: HctHeader, i: number): number {
  return Math.min(header.blockSize, header.originalSize - i * header.blockSize);
}

/** Bytes of per-group scales, which follow the blocks. The reference sets the flag and does not write them. */
export function groupScalesSize(header: HctHeader, quantization: QuantizationMetadata | undefined): number {
  return quantization === undefined ? 0 : 2 * groupScaleCount(quantization, elementCount(header.shape));
}

/** True when the tensor's shape is in the extension section. */
export function hasShapeInExtension(header: HctHeader): boolean {
  return (header.flags & FLAG_SHAPE_IN_EXTENSION) !== 0;
}
