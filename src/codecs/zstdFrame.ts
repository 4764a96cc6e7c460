import { CodecError, type ErrorDetails } from '../errors.js';

/** Field names, sizes and limits are those of RFC 8878, section 3.1.1. */
export const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** The default limit of libzstd (ZSTD_WINDOWLOG_LIMIT_DEFAULT). */
const MAX_WINDOW = 2 ** 27;
/** The most bytes that a block decodes to. */
const MAX_BLOCK = 2 ** 17;
const CHECKSUM_SIZE = 4;
export const SINGLE_SEGMENT = 0x20;
export const HAS_CHECKSUM = 0x04;

/** The structure of a frame. The content of its compressed blocks has not been checked. */
export interface ZstdFrame {
  /** Offset of the first block's header. */
  readonly blocksStart: number;
  /** One past the last block. */
  readonly blocksEnd: number;
  /** Low 32 bits of the content's XXH64, if the frame has them. */
  readonly checksum: number | undefined;
  /** The header states the content size and asks for no larger window. */
  readonly plain: boolean;
}

/**
 * Checks that `block` is exactly one frame, needs no dictionary, and does not contradict `length` bytes of content. It
 * allocates nothing for what the frame claims.
 *
 * @throws CodecError with the offset of what is wrong
 */
export function checkZstdFrame(block: Uint8Array, length: number): ZstdFrame {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const { end: blocksStart, hasChecksum, plain } = parseHeader(view, length);
  const blocksEnd = walkBlocks(view, blocksStart, length);
  const end = blocksEnd + (hasChecksum ? CHECKSUM_SIZE : 0);
  if (end > block.length) throw truncated(blocksEnd, end, block.length);
  if (end < block.length) {
    throw corrupt('bytes follow its end', {
      offset: end,
      expected: end,
      actual: block.length,
    });
  }
  return {
    blocksStart,
    blocksEnd,
    checksum: hasChecksum ? view.getUint32(blocksEnd, true) : undefined,
    plain,
  };
}

interface Header {
  readonly end: number;
  readonly hasChecksum: boolean;
  /** The content size is stated and no larger window is asked for. */
  readonly plain: boolean;
}

function parseHeader(view: DataView, length: number): Header {
  if (view.byteLength < 6) throw truncated(0, 6, view.byteLength);
  checkMagic(view.getUint32(0, true));
  const descriptor = view.getUint8(4);
  if ((descriptor & 0x08) !== 0) throw corrupt('a reserved bit is set', { offset: 4 });
  const { singleSegment, dictionaryAt, sizeAt, sizeBytes, end } = fieldsOf(descriptor);
  if (end > view.byteLength) throw truncated(view.byteLength, end, view.byteLength);

  if (!singleSegment) checkWindow(view.getUint8(5));
  for (let at = dictionaryAt; at < sizeAt; at++) {
    if (view.getUint8(at) !== 0) throw corrupt('it needs a dictionary', { offset: at });
  }
  const contentSize = readContentSize(view, sizeAt, sizeBytes);
  if (contentSize !== undefined && contentSize !== BigInt(length)) {
    throw corrupt('wrong content size', {
      offset: sizeAt,
      expected: length,
      actual: `${contentSize}`,
    });
  }
  return {
    end,
    hasChecksum: (descriptor & HAS_CHECKSUM) !== 0,
    plain: singleSegment && contentSize !== undefined,
  };
}

/** The positions of the fields of a frame header, which follow from its first byte of flags. */
function fieldsOf(descriptor: number) {
  const singleSegment = (descriptor & SINGLE_SEGMENT) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
  const dictionaryAt = singleSegment ? 5 : 6;
  const sizeAt = dictionaryAt + [0, 1, 2, 4][descriptor & 3]!;
  return { singleSegment, dictionaryAt, sizeAt, sizeBytes, end: sizeAt + sizeBytes };
}

/**
 * The content size that a frame states, for files whose own record of it is wrong. Undefined when it states none or is
 * not a frame; decoding then names the fault.
 */
export function zstdContentSize(block: Uint8Array): number | undefined {
  if (block.length < 6) return undefined;
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const { sizeAt, sizeBytes, end } = fieldsOf(view.getUint8(4));
  if (view.getUint32(0, true) !== MAGIC || end > block.length) return undefined;
  const size = readContentSize(view, sizeAt, sizeBytes);
  return size === undefined ? undefined : Number(size);
}

function checkMagic(magic: number): void {
  if (magic === MAGIC) return;
  if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) {
    throw corrupt('it is a skippable frame without content', { offset: 0 });
  }
  throw corrupt('it is not a standard frame', {
    offset: 0,
    expected: `magic 0x${MAGIC.toString(16)}`,
    actual: `0x${magic.toString(16).padStart(8, '0')}`,
  });
}

function checkWindow(byte: number): void {
  const base = 2 ** (10 + (byte >> 3));
  const window = base + (base / 8) * (byte & 7);
  if (window > MAX_WINDOW) {
    throw corrupt('its window is too large', {
      offset: 5,
      expected: `at most ${MAX_WINDOW}`,
      actual: window,
    });
  }
}

function readContentSize(view: DataView, at: number, bytes: number): bigint | undefined {
  switch (bytes) {
    case 0:
      return undefined;
    case 1:
      return BigInt(view.getUint8(at));
    case 2:
      // Two bytes count from 256, so that they do not overlap the range of one byte.
      return BigInt(view.getUint16(at, true) + 256);
    case 4:
      return BigInt(view.getUint32(at, true));
    default:
      return view.getBigUint64(at, true);
  }
}

/** Steps from block header to block header; returns the end of the last block. */
function walkBlocks(view: DataView, start: number, length: number): number {
  let at = start;
  /** Bytes that raw and RLE blocks decode to; those of compressed blocks are unknown before decoding. */
  let certain = 0;
  for (let last = false; !last; ) {
    if (at + 3 > view.byteLength) throw truncated(at, at + 3, view.byteLength);
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    last = (header & 1) === 1;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === 3) throw corrupt('a block has the reserved type', { offset: at });
    if (size > MAX_BLOCK) {
      throw corrupt('a block is too large', {
        offset: at,
        expected: `at most ${MAX_BLOCK}`,
        actual: size,
      });
    }
    if (type !== 2) certain += size;
    if (certain > length) {
      throw corrupt('it has more content than expected', {
        offset: at,
        expected: length,
        actual: certain,
      });
    }
    const next = at + 3 + (type === 1 ? 1 : size);
    if (next > view.byteLength) throw truncated(at, next, view.byteLength);
    at = next;
  }
  return at;
}

function truncated(offset: number, expected: number, actual: number): CodecError {
  return corrupt('it is truncated', { offset, expected: `at least ${expected} bytes`, actual });
}

function corrupt(reason: string, details: ErrorDetails): CodecError {
  return new CodecError(`Cannot decode the Zstd frame: ${reason}`, details);
}
