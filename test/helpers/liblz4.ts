import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const PACKAGE = '@foxglove/wasm-lz4';

interface Decompress {
  (frame: Uint8Array, size: number): Uint8Array;
  readonly isLoaded: Promise<void>;
}

/** Frame descriptor: version 1, independent blocks of at most 4 MiB (lz4_Frame_format.md), and its checksum. */
const FRAME_HEADER = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73];

/** A raw block of one byte. */
const ONE_LITERAL = Uint8Array.of(0x10, 0x2a);

/** An LZ4 frame that holds these raw blocks as they are: each is decoded by liblz4's LZ4_decompress_safe. */
export function lz4Frame(blocks: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.from(FRAME_HEADER)];
  for (const block of blocks) parts.push(uint32(block.length), block);
  parts.push(uint32(0));
  return Buffer.concat(parts);
}

/** What liblz4 decodes raw blocks to, one after the other, `size` bytes in all. Throws when it refuses one. */
export async function liblz4Decode(blocks: readonly Uint8Array[], size: number): Promise<Uint8Array> {
  // The module's only context is unusable after a refused frame: a fresh module has a fresh one.
  delete require.cache[require.resolve(PACKAGE)];
  const decompress = require(PACKAGE) as Decompress;
  await decompress.isLoaded;
  // The package takes a frame for broken that goes on when all its bytes are there, as one does whose last block is empty.
  return decompress(lz4Frame([...blocks, ONE_LITERAL]), size + 1).subarray(0, size);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
