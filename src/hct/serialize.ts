import { viewOf, writeU64 } from '../bytes/binary.js';
import { check, oneOf, type Rule, text, wholeNumber } from '../checks/options.js';
import { optional, record, uint64 } from '../checks/rules.js';
import { ALGORITHM as ALGORITHM_NAME, compressionCode } from '../codecs/codec.js';
import { LimitError } from '../errors.js';
import { xxh3 } from '../kernels/xxh3/checksum.js';
import { headerChecksum } from '../kernels/xxh3/headerChecksum.js';
import { dtypeCode, DTYPE as ELEMENT_TYPE, SHAPE } from '../tensor/dtype.js';
import { BLOCK_INDEX_SIZE, BLOCK_INDEX_V2_SIZE, type BlockIndex, type BlockIndexV2 } from './blockIndex.js';
import {
  FLAG_HEADER_CHECKSUM,
  HCT_CHECKSUM_OFFSET,
  HCT_HEADER_SIZE,
  HCT_MAGIC,
  HCT_MAX_RANK,
  HCT_V2_THIRD_DIMENSION_LIMIT,
  HCT_VERSION_V2,
} from './constants.js';
import {
  HCT_EXTENSION_CHECKSUM_SIZE,
  HCT_EXTENSION_MAGIC,
  HCT_EXTENSION_MAX_SIZE,
  HCT_EXTENSION_PREFIX_SIZE,
  type HctExtension,
} from './extension.js';
import {
  ALGORITHM,
  BLOCK_COUNT,
  BLOCK_SIZE,
  COMPRESSED_SIZE,
  DIMENSIONS,
  DTYPE,
  FLAGS,
  type HctHeader,
  ORIGINAL_SIZE,
  RANK,
  VERSION,
} from './header.js';

/** The parts of an HCT file around its blocks, as bytes. */

const U32 = /* @__PURE__ */ wholeNumber(0, 0xffffffff);

const HEADER: Rule<HctHeader> = /* @__PURE__ */ record<HctHeader>({
  version: /* @__PURE__ */ oneOf([1, 2]),
  algorithm: ALGORITHM_NAME,
  dtype: ELEMENT_TYPE,
  flags: /* @__PURE__ */ wholeNumber(0, 0xffff),
  originalSize: /* @__PURE__ */ wholeNumber(),
  compressedSize: /* @__PURE__ */ wholeNumber(),
  blockSize: U32,
  blockCount: U32,
  shape: SHAPE,
});

function shapeOf(version: 1 | 2): Rule<readonly number[]> {
  return (shape) => {
    const { length, 2: third = 0 } = shape as number[];
    if (length > HCT_MAX_RANK) return `at most ${HCT_MAX_RANK} dimensions`;
    const fits = version === 1 || third < HCT_V2_THIRD_DIMENSION_LIMIT;
    return !fits && `a third dimension below ${HCT_V2_THIRD_DIMENSION_LIMIT}`;
  };
}

const ENTRY: Rule<BlockIndex> = /* @__PURE__ */ record<BlockIndex>({ offset: U32, compressedSize: U32 });

const ENTRY_V2: Rule<BlockIndexV2> = /* @__PURE__ */ record<BlockIndexV2>({
  offset: U32,
  compressedSize: U32,
  checksum: uint64,
});

const EXTENSION: Rule<HctExtension> = /* @__PURE__ */ record<HctExtension>({
  name: /* @__PURE__ */ optional(text),
  shape: /* @__PURE__ */ optional(SHAPE),
  quantization: /* @__PURE__ */ optional(text),
});

/**
 * The 64 bytes of a header; a version 2 header gets its checksum if the flag is set.
 * @throws ArgumentError for a value that its field cannot hold
 */
export function serializeHctHeader(header: HctHeader): Uint8Array {
  check('header', header, HEADER);
  check('shape', header.shape, shapeOf(header.version));
  const bytes = new Uint8Array(HCT_HEADER_SIZE);
  const view = viewOf(bytes);
  view.setUint32(0, HCT_MAGIC, true);
  view.setUint32(VERSION, header.version, true);
  view.setUint8(ALGORITHM, compressionCode(header.algorithm));
  view.setUint8(DTYPE, dtypeCode(header.dtype));
  view.setUint16(FLAGS, header.flags, true);
  writeU64(view, ORIGINAL_SIZE, header.originalSize);
  writeU64(view, COMPRESSED_SIZE, header.compressedSize);
  view.setUint32(BLOCK_SIZE, header.blockSize, true);
  view.setUint32(BLOCK_COUNT, header.blockCount, true);
  view.setUint8(RANK, header.shape.length);
  for (const [axis, dimension] of header.shape.entries()) writeU64(view, DIMENSIONS + 8 * axis, dimension);
  if (header.version === HCT_VERSION_V2) {
    // The third dimension overlaps the checksum; with or without a checksum, only 24 bits of it remain.
    bytes.fill(0, HCT_CHECKSUM_OFFSET);
    if ((header.flags & FLAG_HEADER_CHECKSUM) !== 0) {
      view.setBigUint64(HCT_CHECKSUM_OFFSET, headerChecksum(bytes.subarray(0, HCT_CHECKSUM_OFFSET)), true);
    }
  }
  return bytes;
}

/** @throws ArgumentError for a value that its field cannot hold */
export function serializeBlockIndex(entry: BlockIndex): Uint8Array {
  check('entry', entry, ENTRY);
  const bytes = new Uint8Array(BLOCK_INDEX_SIZE);
  const view = viewOf(bytes);
  view.setUint32(0, entry.offset, true);
  view.setUint32(4, entry.compressedSize, true);
  return bytes;
}

/** @throws ArgumentError for a value that its field cannot hold */
export function serializeBlockIndexV2(entry: BlockIndexV2): Uint8Array {
  check('entry', entry, ENTRY_V2);
  const bytes = new Uint8Array(BLOCK_INDEX_V2_SIZE);
  bytes.set(serializeBlockIndex(entry));
  viewOf(bytes).setBigUint64(8, entry.checksum, true);
  return bytes;
}

/** @throws ArgumentError for a value of another type; LimitError */
export function serializeHctExtension(extension: HctExtension): Uint8Array {
  check('extension', extension, EXTENSION);
  const json = new TextEncoder().encode(JSON.stringify(extension));
  if (json.length > HCT_EXTENSION_MAX_SIZE) {
    throw new LimitError('Cannot write the HCT extension: name and shape are too long', {
      expected: `at most ${HCT_EXTENSION_MAX_SIZE} bytes`,
      actual: json.length,
    });
  }
  const bytes = new Uint8Array(HCT_EXTENSION_PREFIX_SIZE + json.length + HCT_EXTENSION_CHECKSUM_SIZE);
  const view = viewOf(bytes);
  view.setUint32(0, HCT_EXTENSION_MAGIC, true);
  view.setUint32(4, json.length, true);
  bytes.set(json, HCT_EXTENSION_PREFIX_SIZE);
  view.setBigUint64(HCT_EXTENSION_PREFIX_SIZE + json.length, xxh3(json), true);
  return bytes;
}
