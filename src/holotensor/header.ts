import { asBytes, assertLength, type BytesLike, readU64, viewOf } from '../bytes/binary.js';
import { assertKind } from '../bytes/fileKind.js';
import { type CompressionAlgorithm, compressionFromCode } from '../codecs/codec.js';
import { encodingFromCode, type HolographicEncoding } from '../encodings/encoding.js';
import { show } from '../errors/show.js';
import { ChecksumError, FormatError, UnsupportedError } from '../errors.js';
import { headerChecksum } from '../kernels/xxh3/headerChecksum.js';
import type { Hash } from '../kernels/xxh3/interface.js';
import { byteLengthOf, type DType, dtypeFromCode, elementCount } from '../tensor/dtype.js';
import type { QuantizationMetadata } from '../tensor/quantization.js';
import {
  HOLO_FLAG_HEADER_CHECKSUM,
  HOLO_FLAG_NORM,
  HOLO_HEADER_SIZE,
  HOLO_MAGIC,
  HOLO_MAX_RANK,
  HOLO_VERSION,
} from './constants.js';
import { QualityCurve } from './quality.js';

/** The 96 bytes at the start of a file, and the quantization metadata that may follow them. */
export interface HoloTensorHeader {
  readonly encoding: HolographicEncoding;
  /** The algorithm that the writer was told to use. The entry of each fragment has its own. */
  readonly compression: CompressionAlgorithm;
  /** `HOLO_FLAG_…` bits. Serializing sets those of norm and quantization by their presence. */
  readonly flags: number;
  /** As stored: 0 is the inline form, one fragment. `fragmentCount` gives the true number. */
  readonly totalFragments: number;
  /** Bytes of the tensor in its own dtype. */
  readonly originalSize: number;
  readonly seed: bigint;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Its `minimum` is the header's field "minimum fragments". */
  readonly qualityCurve: QualityCurve;
  /** The tensor's L2 norm, as f32. */
  readonly norm: number | undefined;
  readonly quantization: QuantizationMetadata | undefined;
}

/** Where the fields are. */
export const VERSION = 4;
export const ENCODING = 8;
export const COMPRESSION = 9;
export const FLAGS = 10;
export const TOTAL_FRAGMENTS = 12;
export const MINIMUM_FRAGMENTS = 14;
export const ORIGINAL_SIZE = 16;
export const SEED = 24;
export const DTYPE = 32;
export const RANK = 33;
export const DIMENSIONS = 34;
export const CURVE = 66;
export const NORM = 82;
export const CHECKSUM = 88;

/**
 * Reads and checks the first 96 bytes. Quantization metadata follows them: see `parseHoloTensorLayout`.
 * @throws TruncatedError, FormatError, ChecksumError, UnsupportedError
 */
export function parseHoloTensorHeader(input: BytesLike): HoloTensorHeader {
  const bytes = asBytes(input);
  const isLongEnough = bytes.length >= HOLO_HEADER_SIZE;
  if (isLongEnough && viewOf(bytes).getUint32(0, true) !== HOLO_MAGIC) assertKind(bytes, 'HoloTensor');
  return parseHoloTensorHeaderBytes(bytes, headerChecksum);
}

/** The same by this hash; what else the bytes may be, the caller has found out. */
export function parseHoloTensorHeaderBytes(bytes: Uint8Array, hash: Hash): HoloTensorHeader {
  assertLength(bytes, HOLO_HEADER_SIZE, 'the HoloTensor header');
  const view = viewOf(bytes);
  const magic = view.getUint32(0, true);
  if (magic !== HOLO_MAGIC) {
    throw new FormatError('Cannot read the HoloTensor file: wrong magic', {
      offset: 0,
      expected: HOLO_MAGIC,
      actual: magic,
    });
  }
  const version = view.getUint32(VERSION, true);
  if (version !== HOLO_VERSION) {
    throw new UnsupportedError('Cannot read the HoloTensor file: unsupported version', {
      offset: VERSION,
      expected: HOLO_VERSION,
      actual: version,
    });
  }
  const flags = view.getUint16(FLAGS, true);
  verifyHeaderChecksum(bytes, view, flags, hash);
  const curve = Array.from([0, 4, 8, 12], (at) => view.getFloat32(CURVE + at, true));
  const norm = (flags & HOLO_FLAG_NORM) === 0 ? undefined : view.getFloat32(NORM, true);
  if (!curve.every(Number.isFinite)) {
    throw new FormatError('Cannot read the HoloTensor header: wrong quality curve', {
      offset: CURVE,
      expected: 'finite coefficients',
      actual: curve,
    });
  }
  if (!isNorm(norm)) {
    throw new FormatError('Cannot read the HoloTensor header: wrong norm', {
      offset: NORM,
      expected: 'a finite number from 0 on',
      actual: norm,
    });
  }
  const header: HoloTensorHeader = {
    encoding: encodingFromCode(view.getUint8(ENCODING), ENCODING),
    compression: compressionFromCode(view.getUint8(COMPRESSION), COMPRESSION),
    flags,
    totalFragments: view.getUint16(TOTAL_FRAGMENTS, true),
    originalSize: readU64(view, ORIGINAL_SIZE, 'Cannot read the HoloTensor header: the original size'),
    seed: view.getBigUint64(SEED, true),
    dtype: dtypeFromCode(view.getUint8(DTYPE), DTYPE),
    shape: parseShape(view),
    qualityCurve: new QualityCurve(curve, view.getUint16(MINIMUM_FRAGMENTS, true)),
    norm,
    quantization: undefined,
  };
  checkOriginalSize(header);
  return header;
}

/**
 * A checksum that is present is checked even if the flags deny it: a flipped bit in the flags would otherwise disable
 * the check that finds it.
 */
function verifyHeaderChecksum(bytes: Uint8Array, view: DataView, flags: number, hash: Hash): void {
  const expected = view.getBigUint64(CHECKSUM, true);
  if ((flags & HOLO_FLAG_HEADER_CHECKSUM) === 0 && expected === 0n) return;
  const actual = hash(bytes.subarray(0, CHECKSUM));
  if (actual !== expected) {
    throw new ChecksumError('Cannot read the HoloTensor header: wrong checksum', {
      offset: CHECKSUM,
      expected,
      actual,
    });
  }
}

function parseShape(view: DataView): number[] {
  const rank = view.getUint8(RANK);
  if (rank > HOLO_MAX_RANK) {
    throw new FormatError('Cannot read the HoloTensor header: wrong rank', {
      offset: RANK,
      expected: `at most ${HOLO_MAX_RANK}`,
      actual: rank,
    });
  }
  return Array.from({ length: rank }, (_, axis) =>
    readU64(view, DIMENSIONS + 8 * axis, `Cannot read the HoloTensor header: dimension ${axis}`),
  );
}

/** No quality can be computed from another one. */
function isNorm(norm: number | undefined): boolean {
  return norm === undefined || (norm >= 0 && norm < Infinity);
}

function checkOriginalSize({ dtype, shape, originalSize }: HoloTensorHeader): void {
  const size = byteLengthOf(dtype, elementCount(shape));
  if (size === originalSize) return;
  throw new FormatError(`Cannot read the HoloTensor header: wrong original size of ${dtype} ${show(shape)}`, {
    offset: ORIGINAL_SIZE,
    expected: size,
    actual: originalSize,
  });
}

/** The true number of fragments; the inline form has one. */
export function fragmentCount({ totalFragments }: HoloTensorHeader): number {
  return Math.max(totalFragments, 1);
}
