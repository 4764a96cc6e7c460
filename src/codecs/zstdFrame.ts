import { CodecError, type ErrorDetails } from '../errors.js';

/** Field names, sizes and limits are those of RFC 8878, section 3.1.1. */
export const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** The default limit of libzstd (ZSTD_WINDOWLOG_LIMIT_DEFAULT). */
const MAX_WINDOW = 2 ** 27;
/** The most bytes that a block decodes to. */
export const MAX_BLOCK = 2 ** 17;
const CHECKSUM_SIZE = 4;
const SINGLE_SEGMENT = 0x20;
export const HAS_CHECKSUM = 0x04;

/** The structure of a frame. The content of its compressed blocks has not been checked. Offsets are those in the block. */
export interface ZstdFrame {
  readonly start: number;
  /** Offset of the first block's header. */
  readonly blocksStart: number;
  /** One past the last block. */
  readonly blocksEnd: number;
  /** One past the checksum. */
  readonly end: number;
  /** Low 32 bits of the content's XXH64, if the frame has them. */
  readonly checksum: number | undefined;
  /** Bytes of the content, if the header states them. */
  readonly contentSize: number | undefined;
  /** Bytes that matches may reach back; for a frame of a single segment, its content size. */
  readonly window: number;
  /** The most bytes of a block, compressed or not. */
  readonly maxBlock: number;
  readonly singleSegment: boolean;
}

/**
 * Decodes the frames of `block`, which fill `out`. Writers write one; further ones, and skippable ones, are what other
 * tools leave: Node and Deno append an empty frame where the first fills their buffer.
 *
 * @param decode decodes a frame into the start of `out`, and returns how many bytes it has
 * @throws CodecError, and what `decode` throws
 */
export function decodeZstdFrames(
  block: Uint8Array,
  out: Uint8Array,
  decode: (frame: ZstdFrame, out: Uint8Array) => number,
): void {
  let to = 0;
  let at = skipSkippable(block, 0);
  // Without any frame, the block is empty or cut off, unless skippable ones are all it has.
  while (at < block.length || at === 0) {
    const room = out.subarray(to);
    const frame = checkZstdFrame(block, room.length, at);
    to += decode(frame, room);
    at = skipSkippable(block, frame.end);
  }
  if (to !== out.length) throw corrupt('wrong decoded length', { expected: out.length, actual: to });
}

/**
 * Checks the frame at `start`: it needs no dictionary, and does not contradict `length` bytes of content, or at most these
 * where other frames follow. It allocates nothing for what the frame claims.
 *
 * @throws CodecError with the offset of what is wrong
 */
export function checkZstdFrame(block: Uint8Array, length: number, start = 0): ZstdFrame {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const header = parseHeader(view, start);
  const { contentSize, sizeAt } = header;
  const wrongSize = () =>
    corrupt('wrong content size', { offset: sizeAt, expected: length, actual: contentSize });
  if (contentSize !== undefined && contentSize > length) throw wrongSize();
  const blocksEnd = walkBlocks(view, header, length);
  const end = blocksEnd + (header.hasChecksum ? CHECKSUM_SIZE : 0);
  assertReaches(view, blocksEnd, end);
  if (end === block.length && contentSize !== undefined && contentSize !== length) throw wrongSize();
  const checksum = header.hasChecksum ? view.getUint32(blocksEnd, true) : undefined;
  return { ...header, start, blocksEnd, end, checksum };
}

/** Steps over skippable frames; returns where the next frame begins, or the end. */
function skipSkippable(block: Uint8Array, start: number): number {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  let at = start;
  while (at + 4 <= block.length && view.getUint32(at, true) >>> 4 === SKIPPABLE_MAGIC >>> 4) {
    const end = at + 8 <= block.length ? at + 8 + view.getUint32(at + 4, true) : at + 8;
    assertReaches(view, at, end);
    at = end;
  }
  return at;
}

interface Header
  extends Pick<ZstdFrame, 'blocksStart' | 'contentSize' | 'window' | 'maxBlock' | 'singleSegment'> {
  readonly hasChecksum: boolean;
  /** Where the content size is, or would be. */
  readonly sizeAt: number;
}

function parseHeader(view: DataView, start: number): Header {
  if (view.byteLength >= 4 || start > 0) checkMagic(view, start);
  assertReaches(view, start, start + 6);
  const descriptor = view.getUint8(start + 4);
  if ((descriptor & 0x08) !== 0) throw corrupt('a reserved bit is set', { offset: start + 4 });
  // The positions of the fields follow from this byte of flags.
  const singleSegment = (descriptor & SINGLE_SEGMENT) !== 0;
  const dictionaryAt = start + (singleSegment ? 5 : 6);
  const sizeAt = dictionaryAt + [0, 1, 2, 4][descriptor & 3]!;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
  const blocksStart = sizeAt + sizeBytes;
  assertReaches(view, view.byteLength, blocksStart);

  const stated = singleSegment ? undefined : readWindow(view, start + 5);
  for (let at = dictionaryAt; at < sizeAt; at++) {
    if (view.getUint8(at) !== 0) throw corrupt('it needs a dictionary', { offset: at });
  }
  const contentSize = readContentSize(view, sizeAt, sizeBytes);
  const window = stated ?? contentSize!;
  const maxBlock = Math.min(window, MAX_BLOCK);
  const hasChecksum = (descriptor & HAS_CHECKSUM) !== 0;
  return { blocksStart, hasChecksum, contentSize, sizeAt, window, maxBlock, singleSegment };
}

/**
 * The content size that the frames of a block state, for files whose own record of it is wrong. Undefined when one states
 * none, or the first has no sound header. What is wrong behind it, decoding names.
 */
export function zstdContentSize(block: Uint8Array): number | undefined {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  let total: number | undefined;
  try {
    for (let at = skipSkippable(block, 0); at < block.length || at === 0; ) {
      const header = parseHeader(view, at);
      if (header.contentSize === undefined) return undefined;
      total = (total ?? 0) + header.contentSize;
      const end = walkBlocks(view, header, header.contentSize);
      at = skipSkippable(block, end + (header.hasChecksum ? CHECKSUM_SIZE : 0));
    }
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
  }
  return total;
}

function checkMagic(view: DataView, start: number): void {
  const magic = start + 4 <= view.byteLength ? view.getUint32(start, true) : undefined;
  if (magic === MAGIC) return;
  if (start > 0) {
    throw corrupt('bytes follow its end', { offset: start, expected: start, actual: view.byteLength });
  }
  throw corrupt('it is not a standard frame', {
    offset: start,
    expected: `magic 0x${MAGIC.toString(16)}`,
    actual: `0x${magic!.toString(16).padStart(8, '0')}`,
  });
}

function readWindow(view: DataView, at: number): number {
  const byte = view.getUint8(at);
  const base = 2 ** (10 + (byte >> 3));
  const window = base + (base / 8) * (byte & 7);
  if (window > MAX_WINDOW) {
    throw corrupt('its window is too large', {
      offset: at,
      expected: `at most ${MAX_WINDOW}`,
      actual: window,
    });
  }
  return window;
}

function readContentSize(view: DataView, at: number, bytes: number): number | undefined {
  switch (bytes) {
    case 0:
      return undefined;
    case 1:
      return view.getUint8(at);
    case 2:
      // Two bytes count from 256, so that they do not overlap the range of one byte.
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    default:
      // Not exact above 2^53: more than any block has.
      return Number(view.getBigUint64(at, true));
  }
}

/** Steps from block header to block header; returns the end of the last block. */
function walkBlocks(view: DataView, { blocksStart, maxBlock }: Header, length: number): number {
  let at = blocksStart;
  /** Bytes that raw and RLE blocks decode to; those of compressed blocks are unknown before decoding. */
  let certain = 0;
  for (let last = false; !last; ) {
    assertReaches(view, at, at + 3);
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    last = (header & 1) === 1;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === 3) throw corrupt('a block has the reserved type', { offset: at });
    if (size > maxBlock) {
      throw corrupt('a block is too large', {
        offset: at,
        expected: `at most ${maxBlock}`,
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
    assertReaches(view, at, next);
    at = next;
  }
  return at;
}

function assertReaches(view: DataView, offset: number, end: number): void {
  const { byteLength: actual } = view;
  if (actual < end) throw corrupt('it is truncated', { offset, expected: `at least ${end} bytes`, actual });
}

function corrupt(reason: string, details: ErrorDetails): CodecError {
  return new CodecError(`Cannot decode the Zstd frame: ${reason}`, details);
}
