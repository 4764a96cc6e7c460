import { CodecError } from '../errors.js';
import { type Codec, type CompressOptions, DEFAULT_ZSTD_LEVEL } from './codec.js';
import {
  checkZstdFrame,
  HAS_CHECKSUM,
  MAGIC,
  SINGLE_SEGMENT,
  type ZstdFrame,
  zstdContentSize,
} from './zstdFrame.js';

/** magic, descriptor, 4 bytes of content size */
const PLAIN_HEADER_SIZE = 9;
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
      const frame = plainZstdFrame(block, checkZstdFrame(block, out.length), out.length);
      const content = decompress(zlib, frame, out.length);
      if (content.length !== out.length) {
        throw new CodecError('Cannot decode the Zstd frame: wrong decoded length', {
          expected: out.length,
          actual: content.length,
        });
      }
      out.set(content);
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
 * The frame behind a header that states its content size, `length`, so that a decoder which believes headers
 * allocates exactly that. It is the same bytes when they say so themselves (those of libzstd do).
 */
export function plainZstdFrame(
  block: Uint8Array,
  { blocksStart, checksum, plain }: ZstdFrame,
  length: number,
): Uint8Array {
  if (plain) return block;
  const blocks = block.subarray(blocksStart);
  const bytes = new Uint8Array(PLAIN_HEADER_SIZE + blocks.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, FOUR_BYTE_SIZE | SINGLE_SEGMENT | (checksum === undefined ? 0 : HAS_CHECKSUM));
  view.setUint32(5, length, true);
  bytes.set(blocks, PLAIN_HEADER_SIZE);
  return bytes;
}
