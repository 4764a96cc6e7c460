import { check, checkOptions, flag, oneOf, type Rules, text, wholeNumber } from '../checks/options.js';
import { ALGORITHM, type CompressionAlgorithm } from '../codecs/codec.js';
import { ArgumentError, LimitError, UnsupportedError } from '../errors.js';
import { byteLengthOf, DTYPE, type DType, elementCount, SHAPE } from '../tensor/dtype.js';
import type { QuantizationMetadata } from '../tensor/quantization.js';
import { QUANTIZATION } from '../tensor/quantizationRule.js';
import { typedArray } from '../tensor/tensor.js';
import {
  DEFAULT_BLOCK_SIZE,
  FLAG_BLOCK_CHECKSUMS,
  FLAG_HEADER_CHECKSUM,
  FLAG_QUANTIZATION,
  FLAG_QUANTIZATION_CHECKSUM,
  FLAG_SHAPE_IN_EXTENSION,
  FLAG_TENSOR_NAME,
  HCT_MAX_BLOCK_BYTES,
  HCT_MAX_RANK,
  HCT_V2_THIRD_DIMENSION_LIMIT,
} from './constants.js';
import { groupScalesSize, type HctHeader } from './header.js';

/** The content and form of a file. */
export interface HctFileOptions {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Default 2. Version 1 has no checksums, no quantization, no name, and at most three dimensions. */
  readonly version?: 1 | 2 | undefined;
  /** Default 'lz4'. */
  readonly algorithm?: CompressionAlgorithm | undefined;
  /** Uncompressed bytes per block. Default 16384. */
  readonly blockSize?: number | undefined;
  /** XXH3-64 of every block in the index. Default true in version 2. */
  readonly blockChecksums?: boolean | undefined;
  readonly quantization?: QuantizationMetadata | undefined;
  /** Half-precision patterns, one per group: with `quantization.perGroupScales` and a group size above 0. */
  readonly groupScales?: Uint16Array | undefined;
  /** Name of the tensor, kept in the extension section. */
  readonly name?: string | undefined;
}

export const HCT_FILE_RULES: Rules<HctFileOptions> = {
  dtype: DTYPE,
  shape: SHAPE,
  version: /* @__PURE__ */ oneOf([1, 2]),
  algorithm: ALGORITHM,
  blockSize: /* @__PURE__ */ wholeNumber(1, HCT_MAX_BLOCK_BYTES),
  blockChecksums: flag,
  quantization: QUANTIZATION,
  groupScales: /* @__PURE__ */ typedArray<Uint16Array>('Uint16Array'),
  name: text,
};

/**
 * The header of a tensor without its compressed size. The number of blocks follows from the shape, so the position of
 * the blocks is known before the first of them.
 * @throws ArgumentError, UnsupportedError, LimitError when no such file can be written
 */
export function planHctHeader(options: HctFileOptions): HctHeader {
  checkOptions(options, HCT_FILE_RULES);
  const { dtype, shape, version = 2, algorithm = 'lz4', blockSize = DEFAULT_BLOCK_SIZE } = options;
  check('dtype', dtype, DTYPE);
  check('shape', shape, SHAPE);
  const originalSize = byteLengthOf(dtype, elementCount(shape));
  if (originalSize > HCT_MAX_BLOCK_BYTES) {
    // Compression might bring it below the limit; but a writer must not fail after an hour because it did not.
    const expected = `at most ${HCT_MAX_BLOCK_BYTES} bytes (4 GiB, block offsets are 32 bits wide)`;
    throw new LimitError('Cannot write the HCT file: the tensor is too large', {
      expected,
      actual: originalSize,
    });
  }
  if (version === 1) assertVersion1Suffices(options);
  const inHeader = shapeFitsHeader(shape, version);
  const header: HctHeader = {
    version,
    algorithm,
    dtype,
    flags: version === 1 ? 0 : version2Flags(options, inHeader),
    originalSize,
    compressedSize: 0,
    blockSize,
    blockCount: Math.ceil(originalSize / blockSize),
    shape: inHeader ? shape : [elementCount(shape)],
  };
  assertGroupScales(header, options);
  return header;
}

function version2Flags(options: HctFileOptions, shapeInHeader: boolean): number {
  let flags = FLAG_HEADER_CHECKSUM;
  if (options.blockChecksums !== false) flags |= FLAG_BLOCK_CHECKSUMS;
  if (options.quantization !== undefined) flags |= FLAG_QUANTIZATION | FLAG_QUANTIZATION_CHECKSUM;
  if (options.name !== undefined) flags |= FLAG_TENSOR_NAME;
  if (!shapeInHeader) flags |= FLAG_SHAPE_IN_EXTENSION;
  return flags;
}

function shapeFitsHeader(shape: readonly number[], version: 1 | 2): boolean {
  if (shape.length > HCT_MAX_RANK) return false;
  return version === 1 || (shape[2] ?? 0) < HCT_V2_THIRD_DIMENSION_LIMIT;
}

function assertVersion1Suffices(options: HctFileOptions): void {
  const asked = [
    options.blockChecksums === true && 'block checksums',
    options.quantization !== undefined && 'quantization metadata',
    options.name !== undefined && 'a name',
    options.shape.length > HCT_MAX_RANK && `${options.shape.length} dimensions`,
  ].filter((feature) => feature !== false);
  if (asked.length > 0) {
    throw new UnsupportedError('Cannot write the HCT file: version 1 does not support this', {
      actual: asked.join(', '),
    });
  }
}

function assertGroupScales(header: HctHeader, { quantization, groupScales }: HctFileOptions): void {
  const expected = groupScalesSize(header, quantization) / 2;
  const actual = groupScales?.length ?? 0;
  if (actual !== expected)
    throw new ArgumentError('Cannot write the HCT file: wrong number of per-group scales', {
      expected,
      actual,
    });
}
