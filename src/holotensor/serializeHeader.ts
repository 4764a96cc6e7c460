import { viewOf, writeU64 } from '../bytes/binary.js';
import { check, listOf, number, type Rule, wholeNumber } from '../checks/options.js';
import { optional, record, uint64 } from '../checks/rules.js';
import { ALGORITHM, compressionCode } from '../codecs/codec.js';
import { ENCODING_CODES, ENCODING_NAME } from '../encodings/encoding.js';
import { ArgumentError } from '../errors.js';
import { headerChecksum } from '../kernels/xxh3/headerChecksum.js';
import { dtypeCode, DTYPE as ELEMENT_TYPE, SHAPE } from '../tensor/dtype.js';
import { QUANTIZATION } from '../tensor/quantizationRule.js';
import {
  FRAGMENT_INDEX_ENTRY_SIZE,
  HOLO_FLAG_HEADER_CHECKSUM,
  HOLO_FLAG_NORM,
  HOLO_FLAG_QUANTIZATION,
  HOLO_HEADER_SIZE,
  HOLO_MAGIC,
  HOLO_MAX_FRAGMENTS,
  HOLO_MAX_RANK,
  HOLO_VERSION,
} from './constants.js';
import type { FragmentIndexEntry } from './fragment.js';
import {
  CHECKSUM,
  COMPRESSION,
  CURVE,
  DIMENSIONS,
  DTYPE,
  ENCODING,
  FLAGS,
  type HoloTensorHeader,
  MINIMUM_FRAGMENTS,
  NORM,
  ORIGINAL_SIZE,
  RANK,
  SEED,
  TOTAL_FRAGMENTS,
  VERSION,
} from './header.js';

/** Of numbers that are stored in f32. */
const FLOAT: Rule<number> = (value) =>
  !(typeof value === 'number' && Number.isFinite(Math.fround(value))) && 'a finite number within f32';

const NORM_VALUE: Rule<number> = (norm) => FLOAT(norm) || number()(norm);

export const HOLO_HEADER: Rule<HoloTensorHeader> = /* @__PURE__ */ record({
  encoding: ENCODING_NAME,
  compression: ALGORITHM,
  flags: /* @__PURE__ */ wholeNumber(0, 0xffff),
  totalFragments: /* @__PURE__ */ wholeNumber(0, HOLO_MAX_FRAGMENTS),
  originalSize: /* @__PURE__ */ wholeNumber(),
  seed: uint64,
  dtype: ELEMENT_TYPE,
  shape: SHAPE,
  qualityCurve: /* @__PURE__ */ record<Pick<HoloTensorHeader['qualityCurve'], 'coefficients' | 'minimum'>>({
    coefficients: /* @__PURE__ */ listOf(FLOAT),
    minimum: /* @__PURE__ */ wholeNumber(0, 0xffff),
  }),
  norm: /* @__PURE__ */ optional(NORM_VALUE),
  quantization: /* @__PURE__ */ optional(QUANTIZATION),
});

/**
 * The 96 bytes of a header, with its checksum where the flag asks for it. The metadata's bytes are not included.
 * @throws ArgumentError for a value that its field cannot hold
 */
export function serializeHoloTensorHeader(header: HoloTensorHeader): Uint8Array {
  check('header', header, HOLO_HEADER);
  const { shape, totalFragments, qualityCurve, norm } = header;
  if (shape.length > HOLO_MAX_RANK) {
    throw new ArgumentError(
      'Cannot write the HoloTensor header: it holds rank 0 to 4; reshape the tensor first',
      {
        expected: `rank at most ${HOLO_MAX_RANK}`,
        actual: shape.length,
      },
    );
  }
  const bytes = new Uint8Array(HOLO_HEADER_SIZE);
  const view = viewOf(bytes);
  const flags = headerFlags(header);
  view.setUint32(0, HOLO_MAGIC, true);
  view.setUint32(VERSION, HOLO_VERSION, true);
  view.setUint8(ENCODING, ENCODING_CODES[header.encoding]);
  view.setUint8(COMPRESSION, compressionCode(header.compression));
  view.setUint16(FLAGS, flags, true);
  view.setUint16(TOTAL_FRAGMENTS, totalFragments, true);
  view.setUint16(MINIMUM_FRAGMENTS, qualityCurve.minimum, true);
  writeU64(view, ORIGINAL_SIZE, header.originalSize);
  view.setBigUint64(SEED, header.seed, true);
  view.setUint8(DTYPE, dtypeCode(header.dtype));
  view.setUint8(RANK, shape.length);
  for (const [axis, dimension] of shape.entries()) writeU64(view, DIMENSIONS + 8 * axis, dimension);
  for (const [i, value] of qualityCurve.coefficients.entries()) view.setFloat32(CURVE + 4 * i, value, true);
  if (norm !== undefined) view.setFloat32(NORM, norm, true);
  if ((flags & HOLO_FLAG_HEADER_CHECKSUM) !== 0) {
    view.setBigUint64(CHECKSUM, headerChecksum(bytes.subarray(0, CHECKSUM)), true);
  }
  return bytes;
}

function headerFlags({ flags, norm, quantization }: HoloTensorHeader): number {
  const presence = HOLO_FLAG_NORM | HOLO_FLAG_QUANTIZATION;
  return (
    (flags & ~presence) |
    (norm === undefined ? 0 : HOLO_FLAG_NORM) |
    (quantization === undefined ? 0 : HOLO_FLAG_QUANTIZATION)
  );
}

const U16 = /* @__PURE__ */ wholeNumber(0, 0xffff);
const U32 = /* @__PURE__ */ wholeNumber(0, 0xffffffff);

const ENTRY: Rule<FragmentIndexEntry> = /* @__PURE__ */ record<FragmentIndexEntry>({
  index: U16,
  flags: U16,
  offset: U32,
  compressedSize: U32,
  uncompressedSize: U32,
  checksum: uint64,
});

/** @throws ArgumentError for a value that its field cannot hold */
export function serializeFragmentIndexEntry(entry: FragmentIndexEntry): Uint8Array {
  check('entry', entry, ENTRY);
  const bytes = new Uint8Array(FRAGMENT_INDEX_ENTRY_SIZE);
  const view = viewOf(bytes);
  view.setUint16(0, entry.index, true);
  view.setUint16(2, entry.flags, true);
  view.setUint32(4, entry.offset, true);
  view.setUint32(8, entry.compressedSize, true);
  view.setUint32(12, entry.uncompressedSize, true);
  view.setBigUint64(16, entry.checksum, true);
  return bytes;
}
