// The literals section of a compressed block (RFC 8878, section 3.1.1.3.1).

import { decodeFourStreams, decodeStream, readHuffman } from './huffman';
import { BLOCK_MAX, HUFFMAN_BITS, LITERALS, LITERALS_ADDRESS, LITERALS_COUNT } from './layout';

/**
 * Reads the section from `at` on; `work` then says where the literals are and how many. When the block has nothing
 * but literals they are decoded to `out`, if `room` bytes are enough. Returns where the section ends, or 0.
 */
export function readLiterals(at: usize, end: usize, out: usize, room: usize, work: usize): usize {
  if (end - at < 5) return readShortLiterals(at, end, work);
  const header = load<u64>(at);
  const type = (header as u32) & 3;
  const format = ((header as u32) >> 2) & 3;
  if (type < 2) return readShortLiterals(at, end, work);
  // Two sizes of 10, 14 or 18 bits each.
  const width: u32 = format < 2 ? 10 : format == 2 ? 14 : 18;
  const mask: usize = (1 << width) - 1;
  const count = ((header >> 4) as usize) & mask;
  const size = ((header >> (4 + (width as u64))) as usize) & mask;
  at += (4 + 2 * width) >> 3;
  if (count > (load<u32>(work + BLOCK_MAX) as usize) || size > end - at) return 0;
  const next = at + size;
  if (type == 2) {
    at = readHuffman(at, next, work);
    if (at == 0) return 0;
  } else if (load<u32>(work + HUFFMAN_BITS) == 0) return 0;
  // A block without sequences ends with a zero byte behind its literals.
  const direct = next + 1 == end && load<u8>(next) == 0 && count <= room;
  const to = direct ? out : work + LITERALS;
  const symbols = count as u32;
  const whole =
    format == 0 ? decodeStream(at, next, to, symbols, work) : decodeFourStreams(at, next, to, symbols, work);
  if (!whole) return 0;
  store<u32>(work + LITERALS_ADDRESS, to);
  store<u32>(work + LITERALS_COUNT, count as u32);
  return next;
}

/** Raw literals, which stay where they are, and a repeated byte: their headers are 1 to 3 bytes. */
function readShortLiterals(at: usize, end: usize, work: usize): usize {
  if (at >= end) return 0;
  const byte: u32 = load<u8>(at);
  const type = byte & 3;
  const format = (byte >> 2) & 3;
  if (type > 1) return 0;
  let count: usize = byte >> 3;
  let headerSize: usize = 1;
  if (format == 1) {
    headerSize = 2;
    count = (load<u16>(at) as usize) >> 4;
  } else if (format == 3) {
    headerSize = 3;
    count = ((load<u32>(at) & 0xffffff) as usize) >> 4;
  }
  if (count > (load<u32>(work + BLOCK_MAX) as usize)) return 0;
  at += headerSize;
  const next = at + (type == 0 ? count : 1);
  if (next > end) return 0;
  if (type == 1) {
    memory.fill(work + LITERALS, load<u8>(at), count);
    store<u32>(work + LITERALS_ADDRESS, work + LITERALS);
  } else store<u32>(work + LITERALS_ADDRESS, at);
  store<u32>(work + LITERALS_COUNT, count as u32);
  return next;
}
