// Coded bitmaps: `../portable/bitmapCode.ts` says what they are.
import { peek } from './bits';

const MAX_CODE_BITS: u32 = 12;
const LOOKUP_MASK: u64 = (1 << MAX_CODE_BITS) - 1;

/** A batch byte that is being used up: what is left of it, and how many groups that still speaks for. */
const BATCH_BYTES: usize = 8;

/** The codes of a context are u32: addresses of those of masks, of bytes and of batches. */
const CONTEXT_BYTES: u32 = 12;
const BYTES: usize = 4;
const BATCHES: usize = 8;
/** In place of a context: the group is not in the bitmap. */
const NO_CONTEXT: u32 = 0xff;

/**
 * A group of this context; returns the position behind it.
 * @param codes those of each context. Without one of masks, all bytes are coded; without one of bytes, they are stored
 *   as they are; without one of batches, the group is in none.
 */
// @ts-ignore: decorator
@inline
function decodeGroup(stream: usize, position: usize, context: u32, codes: usize, spreads: usize, batch: usize, bitmap: usize): usize {
  const selected = codes + <usize>(context * CONTEXT_BYTES);
  const batchCode = <usize>load<u32>(selected, BATCHES);
  if (batchCode != 0) {
    let groups = load<u32>(batch);
    let left = load<u32>(batch, 4);
    if (left == 0) {
      const entry = lookup(batchCode, peek(stream, position));
      position += entry & 0xff;
      groups = entry >> 8;
      left = 8;
    }
    store<u32>(batch, groups >> 1);
    store<u32>(batch, left - 1, 4);
    if ((groups & 1) == 0) {
      store<u64>(bitmap, 0);
      return position;
    }
  }
  const maskCode = <usize>load<u32>(selected);
  const byteCode = <usize>load<u32>(selected, BYTES);
  if (byteCode == 0) {
    // Position and 64 bits: the last byte may be in a ninth.
    const low = peek(stream, position) & 0xffffffff;
    store<u64>(bitmap, low | (peek(stream, position + 32) << 32));
    return position + 64;
  }
  let mask: u32 = 0xff;
  if (maskCode != 0) {
    const entry = lookup(maskCode, peek(stream, position));
    position += entry & 0xff;
    mask = entry >> 8;
  }
  const symbols = popcnt(mask);
  let word: u64 = 0;
  if (symbols > 0) {
    // Four codes of 12 bits always fit one load.
    word = fourBytes(byteCode, peek(stream, position), symbols);
    position += <usize>(word >> 32);
    word &= 0xffffffff;
    if (symbols > 4) {
      const more = fourBytes(byteCode, peek(stream, position), symbols - 4);
      position += <usize>(more >> 32);
      word |= more << 32;
    }
  }
  const spread = i8x16.swizzle(i64x2.splat(word), v128.load64_zero(spreads + (mask << 3)));
  v128.store64_lane(bitmap, spread, 0);
  return position;
}

/** One to four symbols, the first lowest; above them the number of bits that they took. */
// @ts-ignore: decorator
@inline
function fourBytes(code: usize, bits: u64, count: u32): u64 {
  // A shift takes the lowest six bits of a number, a sum of entries is one of lengths and one of symbols.
  let entry = lookup(code, bits);
  let sum = entry;
  let word = entry >> 8;
  if (count > 1) {
    bits >>= <u64>entry;
    entry = lookup(code, bits);
    sum += entry;
    word |= entry & 0xff00;
    if (count > 2) {
      bits >>= <u64>entry;
      entry = lookup(code, bits);
      sum += entry;
      word |= (entry & 0xff00) << 8;
      if (count > 3) {
        bits >>= <u64>entry;
        entry = lookup(code, bits);
        sum += entry;
        word |= (entry & 0xff00) << 16;
      }
    }
  }
  return <u64>word | (<u64>(sum & 0xff) << 32);
}

/** The symbol << 8 with which the bits begin, and its length. */
// @ts-ignore: decorator
@inline
function lookup(code: usize, bits: u64): u32 {
  return load<u16>(code + ((<usize>(bits & LOOKUP_MASK)) << 1));
}

/**
 * The groups that have a context, of two tiles by turns: finding a symbol takes a chain of instructions that wait for
 * each other, and two chains take hardly longer than one. Stores the positions behind the last bits at `positions`.
 */
export function decodeBitmaps(
  stream: usize,
  groups: u32,
  contexts: usize,
  bitmap: usize,
  otherStream: usize,
  otherGroups: u32,
  otherContexts: usize,
  otherBitmap: usize,
  codes: usize,
  spreads: usize,
  positions: usize,
): void {
  const batch = positions + 8;
  const otherBatch = batch + BATCH_BYTES;
  store<u64>(batch, 0);
  store<u64>(otherBatch, 0);
  let position: usize = 0;
  let otherPosition: usize = 0;
  const most = max(groups, otherGroups);
  for (let group: u32 = 0; group < most; group++) {
    if (group < groups) {
      const context = <u32>load<u8>(contexts + group);
      if (context != NO_CONTEXT) {
        position = decodeGroup(stream, position, context, codes, spreads, batch, bitmap + (group << 3));
      }
    }
    if (group < otherGroups) {
      const context = <u32>load<u8>(otherContexts + group);
      if (context != NO_CONTEXT) {
        otherPosition = decodeGroup(otherStream, otherPosition, context, codes, spreads, otherBatch, otherBitmap + (group << 3));
      }
    }
  }
  store<u32>(positions, <u32>position);
  store<u32>(positions, <u32>otherPosition, 4);
}

/**
 * All groups of one tile; returns the position behind the last bit.
 * @param scratch room for 24 bytes
 */
export function decodeBitmap(
  stream: usize,
  groups: u32,
  contexts: usize,
  bitmap: usize,
  codes: usize,
  spreads: usize,
  scratch: usize,
): usize {
  decodeBitmaps(stream, groups, contexts, bitmap, 0, 0, 0, 0, codes, spreads, scratch);
  return load<u32>(scratch);
}
