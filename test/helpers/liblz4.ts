import { spawnSync } from 'node:child_process';

/** Frame descriptor: version 1, independent blocks of at most 4 MiB (lz4_Frame_format.md), and its checksum. */
const FRAME_HEADER = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73];

/**
 * What liblz4 decodes raw blocks to, one after the other. It runs in the `lz4` command: the blocks are put into one
 * frame as they are, so each passes through LZ4_decompress_safe. Throws when liblz4 refuses one.
 */
export function liblz4Decode(blocks: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.from(FRAME_HEADER)];
  for (const block of blocks) parts.push(uint32(block.length), block);
  parts.push(uint32(0));
  const input = Buffer.concat(parts);
  const run = spawnSync('lz4', ['-d', '-c', '-q', '-', '-'], { input, maxBuffer: 1 << 28 });
  if (run.error !== undefined) {
    throw new Error('the command lz4 is missing (Debian package lz4)', { cause: run.error });
  }
  if (run.status !== 0) throw new Error(`liblz4 refuses a block: ${run.stderr}`);
  return run.stdout;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
