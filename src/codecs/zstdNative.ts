import { CodecError } from '../errors.js';
import { type Codec, type CompressOptions, DEFAULT_ZSTD_LEVEL } from './codec.js';
import {
  decodeZstdFrames,
  HAS_CHECKSUM,
  MAGIC,
  MAX_BLOCK,
  type ZstdFrame,
  zstdContentSize,
} from './zstdFrame.js';

/** magic, descriptor, window */
const HEADER_SIZE = 6;
const FOUR_BYTE_SIZE = 0x80;

/** The part of node:zlib that Node has since 22.15 and 23.8; older type definitions lack it. */
interface NativeZlib {
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
  zstdDecompressSync(frame: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
  zstdCompressSync(
    data: Uint8Array,
    options: { params: Record<number, number>; chunkSize: number },
  ): Uint8Array;
}

/** The runtime's own libzstd, or undefined if it has none. It verifies checksums itself. */
export function nativeZstd(): Codec | undefined {
  // Not an import, because bundlers for browsers would search for the module.
  const zlib = globalThis.process?.getBuiltinModule?.('node:zlib') as unknown as NativeZlib | undefined;
  if (zlib === undefined || !('zstdDecompressSync' in zlib)) return undefined;
  return {
    algorithm: 'zstd',
    implementation: 'native',
    decompressInto(block: Uint8Array, out: Uint8Array): void {
      decodeZstdFrames(block, out, (frame, room) => {
        const content = decompress(zlib, plainZstdFrame(block, frame, room.length), room.length);
        if (content.length > room.length) throw tooLong(room.length, content.length);
        room.set(content);
        return content.length;
      });
    },
    contentSize: zstdContentSize,
    compress(data: Uint8Array, { level = DEFAULT_ZSTD_LEVEL }: CompressOptions = {}): Uint8Array {
      const params = { [zlib.constants.ZSTD_c_compressionLevel]: level };
      const chunkSize = frameBound(data.length);
      // A copy, because small Buffers share a pool, and keep it alive.
      return new Uint8Array(zlib.zstdCompressSync(data, { params, chunkSize }));
    },
  };
}

/**
 * More than a frame of this content can take (ZSTD_COMPRESSBOUND). When a frame fills the output buffer exactly, Node
 * appends an empty frame; Deno does so after every frame that takes several buffers.
 */
function frameBound(length: number): number {
  return length + (length >> 8) + 128;
}

function tooLong(expected: number, actual: number): CodecError {
  return new CodecError('Cannot decode the Zstd frame: wrong decoded length', { expected, actual });
}

function decompress(zlib: NativeZlib, frame: Uint8Array, length: number): Uint8Array {
  try {
    // It refuses a limit of 0.
    return zlib.zstdDecompressSync(frame, { maxOutputLength: Math.max(length, 1) });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new CodecError('Cannot decode the Zstd frame: it is corrupt or not standard', {
      actual: reason,
      cause,
    });
  }
}

/**
 * The frame, whose content has at most `length` bytes, behind a header that asks for no larger window than it can use: a
 * decoder that believes headers allocates all of it. It is the same bytes when they ask for none (those of libzstd do).
 */
export function plainZstdFrame(block: Uint8Array, frame: ZstdFrame, length: number): Uint8Array {
  const { start, blocksStart, end, singleSegment, checksum, contentSize, window } = frame;
  // Up to here, the window limits blocks as well.
  const used = Math.max(length, MAX_BLOCK);
  if (singleSegment || window <= used) return block.subarray(start, end);
  const blocks = block.subarray(blocksStart, end);
  const sizeBytes = contentSize === undefined ? 0 : 4;
  const bytes = new Uint8Array(HEADER_SIZE + sizeBytes + blocks.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(
    4,
    (contentSize === undefined ? 0 : FOUR_BYTE_SIZE) | (checksum === undefined ? 0 : HAS_CHECKSUM),
  );
  view.setUint8(5, (Math.ceil(Math.log2(used)) - 10) << 3);
  if (contentSize !== undefined) view.setUint32(HEADER_SIZE, contentSize, true);
  bytes.set(blocks, HEADER_SIZE + sizeBytes);
  return bytes;
}
