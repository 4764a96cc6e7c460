import { asBytes, assertLength, type BytesLike, concatenate, viewOf } from '../bytes/binary.js';
import { parseJson } from '../bytes/json.js';
import { ChecksumError, FormatError } from '../errors.js';
import { xxh3 } from '../kernels/xxh3/checksum.js';
import type { Hash } from '../kernels/xxh3/interface.js';
import { elementCount } from '../tensor/dtype.js';
import { type QuantizationMetadata, quantizationBytes } from '../tensor/quantization.js';
import { viewBytes } from '../tensor/tensor.js';
import { FLAG_QUANTIZATION_CHECKSUM, FLAG_SHAPE_IN_EXTENSION, FLAG_TENSOR_NAME } from './constants.js';
import { type HctHeader, hasShapeInExtension } from './header.js';

/** The content of the extension section, which follows the blocks. */
export interface HctExtension {
  readonly name?: string;
  readonly shape?: readonly number[];
  /** XXH3-64 of the quantization metadata and the group scales, 16 hexadecimal digits. */
  readonly quantization?: string;
}

/** "HCTX", little-endian. */
export const HCT_EXTENSION_MAGIC = 0x58544348;
/** Magic and length. */
export const HCT_EXTENSION_PREFIX_SIZE = 8;
export const HCT_EXTENSION_CHECKSUM_SIZE = 8;
/** Cap on the JSON: a name, a shape and a checksum need no more. */
export const HCT_EXTENSION_MAX_SIZE = 65536;

export function hasExtension(header: HctHeader): boolean {
  const announced = FLAG_TENSOR_NAME | FLAG_SHAPE_IN_EXTENSION | FLAG_QUANTIZATION_CHECKSUM;
  return header.version === 2 && (header.flags & announced) !== 0;
}

/**
 * The true shape of a tensor: the header's, unless that one could not hold it.
 * @throws FormatError when the extension has no shape with the same number of elements
 */
export function trueShape(header: HctHeader, { shape }: HctExtension): readonly number[] {
  if (!hasShapeInExtension(header)) return header.shape;
  const elements = elementCount(header.shape);
  if (shape !== undefined && elementCount(shape) === elements) return shape;
  throw new FormatError('Cannot read the HCT extension: wrong shape', {
    expected: `${elements} elements`,
    actual: shape === undefined ? 'none' : `[${shape.join(', ')}]`,
  });
}

/**
 * The checksum of what is before and behind the blocks, and tells what the integers mean.
 * @param groupScales half-precision patterns, if the file has any
 */
export function quantizationChecksum(
  metadata: QuantizationMetadata | undefined,
  groupScales: Uint16Array | undefined,
  hash: Hash,
): string {
  const parts = [
    metadata === undefined ? new Uint8Array(0) : quantizationBytes(metadata),
    groupScales === undefined ? new Uint8Array(0) : viewBytes(groupScales),
  ];
  return hash(concatenate(parts)).toString(16).padStart(16, '0');
}

/**
 * A checksum that is present is verified, whatever the flags say.
 * @throws ChecksumError; FormatError when the flags announce a checksum that is missing
 */
export function verifyQuantization(
  { flags }: HctHeader,
  { quantization: expected }: HctExtension,
  metadata: QuantizationMetadata | undefined,
  groupScales: Uint16Array | undefined,
  hash: Hash,
): void {
  if (expected === undefined) {
    if ((flags & FLAG_QUANTIZATION_CHECKSUM) === 0) return;
    throw new FormatError('Cannot read the HCT extension: the checksum of the quantization is missing');
  }
  const actual = quantizationChecksum(metadata, groupScales, hash);
  if (actual === expected) return;
  throw new ChecksumError('Cannot use the quantization of the HCT file: wrong checksum', {
    expected: BigInt(`0x${expected}`),
    actual: BigInt(`0x${actual}`),
  });
}

/** Length of the JSON that follows the 8-byte prefix. */
export function parseHctExtensionPrefix(input: BytesLike): number {
  const prefix = asBytes(input);
  assertLength(prefix, HCT_EXTENSION_PREFIX_SIZE, 'the HCT extension');
  const view = viewOf(prefix);
  const magic = view.getUint32(0, true);
  if (magic !== HCT_EXTENSION_MAGIC) {
    throw new FormatError('Cannot read the HCT extension: wrong magic', {
      expected: HCT_EXTENSION_MAGIC,
      actual: magic,
    });
  }
  const length = view.getUint32(4, true);
  if (length > HCT_EXTENSION_MAX_SIZE) {
    const expected = `at most ${HCT_EXTENSION_MAX_SIZE}`;
    throw new FormatError('Cannot read the HCT extension: it is too long', { expected, actual: length });
  }
  return length;
}

/** Reads the extension section of an HCT file. @param input the JSON and its checksum */
export function parseHctExtensionBody(input: BytesLike): HctExtension {
  return parseExtension(input, xxh3);
}

/** The same by this hash. */
export function parseExtension(input: BytesLike, hash: Hash): HctExtension {
  const bytes = asBytes(input);
  assertLength(bytes, HCT_EXTENSION_CHECKSUM_SIZE, 'the HCT extension');
  const json = bytes.subarray(0, bytes.length - HCT_EXTENSION_CHECKSUM_SIZE);
  const expected = viewOf(bytes).getBigUint64(json.length, true);
  const actual = hash(json);
  if (actual !== expected)
    throw new ChecksumError('Cannot read the HCT extension: wrong checksum', { expected, actual });
  const value = parseJson(json, 'Cannot read the HCT extension', HCT_EXTENSION_MAX_SIZE);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError('Cannot read the HCT extension', { expected: 'a JSON object', actual: value });
  }
  const { name, shape, quantization } = value as Record<string, unknown>;
  if (name !== undefined && typeof name !== 'string') {
    throw new FormatError('Cannot read the HCT extension: wrong type of name', {
      expected: 'a string',
      actual: typeof name,
    });
  }
  if (shape !== undefined && !isShape(shape)) {
    throw new FormatError('Cannot read the HCT extension: wrong shape', {
      expected: 'whole numbers',
      actual: shape,
    });
  }
  if (quantization !== undefined && !isHash(quantization)) {
    throw new FormatError('Cannot read the HCT extension: invalid checksum of the quantization', {
      expected: '16 hexadecimal digits',
      actual: quantization,
    });
  }
  return {
    ...(name === undefined ? {} : { name }),
    ...(shape === undefined ? {} : { shape }),
    ...(quantization === undefined ? {} : { quantization }),
  };
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{16}$/.test(value);
}

function isShape(value: unknown): value is number[] {
  return (
    Array.isArray(value) && value.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0)
  );
}
