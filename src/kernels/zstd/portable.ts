import { corrupt } from './corrupt.js';
import type { ZstdKernels } from './interface.js';
import { inputOf } from './portable/bits.js';
import { newSequenceMemory } from './portable/execute.js';
import type { HuffmanTable } from './portable/huffman.js';
import { readLiterals } from './portable/literals.js';
import { runSequences } from './portable/sequences.js';
import { xxh64 } from './portable/xxh64.js';

export const portableZstd: ZstdKernels = {
  zstdDecompressInto,
  zstdChecksum: (content) => Number(xxh64(content) & 0xffff_ffffn),
};

/**
 * Decodes the blocks of one Zstandard frame (RFC 8878, section 3.1.1.2), which begin at `start` of `frame`; the last
 * one must end with `frame`. Every read and write is bounded, every structural rule checked.
 *
 * Packages for this exist, but the one without wasm, fzstd, silently decodes corrupt blocks to wrong bytes, and a few
 * bytes can keep it busy for minutes.
 *
 * @throws CodecError with the offset in `frame` of the section that is wrong
 */
function zstdDecompressInto(frame: Uint8Array, start: number, out: Uint8Array, maxBlock: number): number {
  const input = inputOf(frame);
  const end = frame.length;
  const memory = newSequenceMemory();
  let huffman: HuffmanTable | undefined;
  let at = start;
  let to = 0;
  for (let last = false; !last; ) {
    if (end - at < 3) throw corrupt('its header is truncated', at);
    const header = frame[at]! | (frame[at + 1]! << 8) | (frame[at + 2]! << 16);
    last = (header & 1) === 1;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    const from = at + 3;
    const next = from + (type === 1 ? 1 : size);
    if (type === 3 || size > maxBlock) throw corrupt('its type or size is invalid', at);
    if (next > end) throw corrupt('it is truncated', at);
    if (type === 2) {
      const literals = readLiterals(input, from, next, huffman, maxBlock);
      huffman = literals.huffman;
      const room = out.subarray(0, Math.min(out.length, to + maxBlock));
      to = runSequences(input, literals.end, next, literals.bytes, memory, room, to);
    } else {
      if (size > out.length - to) throw corrupt('it decodes to too many bytes', at);
      if (type === 1) out.fill(frame[from]!, to, to + size);
      else out.set(frame.subarray(from, next), to);
      to += size;
    }
    at = next;
  }
  if (at !== end) throw corrupt('bytes follow the last one', at);
  return to;
}
