// The blocks of a Zstandard frame (RFC 8878, section 3.1.1.2). Its header is read in JavaScript.
//
// Reads may reach 32 bytes before the blocks and 64 behind them, writes 64 behind the output: the caller leaves room.

import { BLOCK_MAX, BLOCK_PART, BLOCK_START, CODES_BYTES, CODES_LOG, CONSTANTS, HUFFMAN_BITS, OFFSETS } from './layout';
import { readLiterals } from './literals';
import { runSequences } from './sequences';

export { checksum } from './xxh64';

/** Parts of a block, in the order in which they are read; `../wasm.ts` has their names. */
const HEADER: u32 = 0;
const LITERALS: u32 = 1;
const SEQUENCES: u32 = 2;
const END: u32 = 3;

/**
 * Decodes blocks of at most `maxBlock` bytes up to the last one, which must end with the input. Returns how many bytes they
 * decode to, or −1: then BLOCK_START and BLOCK_PART say where it stopped.
 */
export function decode(
  from: usize, length: usize, out: usize, outLength: usize, work: usize, maxBlock: usize,
): i32 {
  begin(work);
  store<u32>(work + BLOCK_MAX, maxBlock as u32);
  const start = from;
  const end = from + length;
  const outEnd = out + outLength;
  let to = out;
  while (true) {
    store<u32>(work + BLOCK_START, (from - start) as u32);
    store<u32>(work + BLOCK_PART, HEADER);
    if (end - from < 3) return -1;
    const header = load<u32>(from) & 0xffffff;
    const type = (header >> 1) & 3;
    const size = (header >> 3) as usize;
    from += 3;
    const stored: usize = type == 1 ? 1 : size;
    if (size > maxBlock || stored > end - from) return -1;
    if (type == 2) {
      to = decodeBlock(from, from + size, to, min(outEnd, to + maxBlock), out, work);
      if (to == 0) return -1;
    } else {
      if (type == 3 || size > outEnd - to) return -1;
      if (type == 1) memory.fill(to, load<u8>(from), size);
      else memory.copy(to, from, size);
      to += size;
    }
    from += stored;
    if ((header & 1) != 0) {
      store<u32>(work + BLOCK_PART, END);
      return from == end ? ((to - out) as i32) : -1;
    }
  }
}

/** What a frame begins with. */
function begin(work: usize): void {
  store<u32>(work + OFFSETS, 1);
  store<u32>(work + OFFSETS, 4, 4);
  store<u32>(work + OFFSETS, 8, 8);
  store<u32>(work + HUFFMAN_BITS, 0);
  for (let i: usize = 0; i < 3; i++) store<u32>(work + CONSTANTS + i * CODES_BYTES, 0, CODES_LOG);
}

function decodeBlock(at: usize, end: usize, to: usize, outEnd: usize, window: usize, work: usize): usize {
  store<u32>(work + BLOCK_PART, LITERALS);
  at = readLiterals(at, end, to, outEnd - to, work);
  if (at == 0) return 0;
  store<u32>(work + BLOCK_PART, SEQUENCES);
  return runSequences(at, end, to, outEnd, window, work);
}
