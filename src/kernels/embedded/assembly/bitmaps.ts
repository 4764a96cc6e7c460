// Coded bitmaps: `../portable/bitmapCode.ts` says what they are.
import { peek } from './bits';

/** Above the bits of four codes. What is above it after shifts says by how many bits. */
const END: u64 = 1 << 63;

/** A batch byte that is being used up: what is left of it, and how many groups that still speaks for. */
const BATCH_BYTES: usize = 8;

/**
 * The codes of a context are u32: addresses of those of masks, of bytes and of batches, then for each of these the bits of its
 * longest code, above one that says nothing: they are where in a table of u16 the next code is.
 */
export const CONTEXT_BYTES: u32 = 24;
export const BYTES: usize = 4;
const BATCHES: usize = 8;
const PLACES: usize = 12;
/** Groups to decode are a list of u32: the number, and above it the context. */
const CONTEXT_PLACE: u32 = 16;
const GROUP_MASK: u32 = 0xffff;

/** Above a position: the group before it is not in the bitmap, for it has no bits. */
const EMPTY: usize = 1 << 31;

/**
 * A group of this context; returns the position behind it, with `EMPTY` if it has no bits.
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
      const entry = lookup(batchCode, load<u32>(selected, PLACES + BATCHES), peek(stream, position) << 1);
      position += entry & 0xff;
      groups = entry >> 8;
      left = 8;
    }
    store<u32>(batch, groups >> 1);
    store<u32>(batch, left - 1, 4);
    if ((groups & 1) == 0) {
      store<u64>(bitmap, 0);
      return position | EMPTY;
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
  // Without a branch, because groups with a mask and dense ones are mixed: of an address 0, anything is read.
  const hasMask = -u32(maskCode != 0);
  const masks = lookup(maskCode, load<u32>(selected, PLACES), peek(stream, position) << 1) & hasMask;
  position += masks & 0xff;
  const mask = (masks >> 8) | (~hasMask & 0xff);
  const places = <u64>load<u32>(selected, PLACES + BYTES);
  if (mask != 0xff) return position + decodeSome(stream, position, mask, byteCode, places, spreads, bitmap);
  return decodeAll(stream, position, byteCode, places, bitmap);
}

/** The eight bytes of a group; returns the position behind them. */
// @ts-ignore: decorator
@inline
function decodeAll(stream: usize, position: usize, byteCode: usize, places: u64, bitmap: usize): usize {
  // Four codes of 12 bits are sure to lie in one load.
  for (const end = bitmap + 8; bitmap < end; bitmap += 4) {
    let bits = (peek(stream, position) << 1) | END;
    bits = byteTo(bitmap, byteCode, places, bits);
    bits = byteTo(bitmap + 1, byteCode, places, bits);
    bits = byteTo(bitmap + 2, byteCode, places, bits);
    bits = byteTo(bitmap + 3, byteCode, places, bits);
    position += <usize>clz(bits);
  }
  return position;
}

/** Writes the symbol that the bits begin with; returns those after it. */
// @ts-ignore: decorator
@inline
function byteTo(out: usize, code: usize, places: u64, bits: u64): u64 {
  const entry = lookup(code, places, bits);
  store<u8>(out, <u8>(entry >> 8));
  // A shift takes the lowest six bits of a number.
  return bits >> <u64>entry;
}

/** The bytes of a group that are in `mask`, fewer than eight; returns the number of bits that they took. */
// @ts-ignore: decorator
@inline
function decodeSome(
  stream: usize,
  position: usize,
  mask: u32,
  byteCode: usize,
  places: u64,
  spreads: usize,
  bitmap: usize,
): usize {
  const symbols = popcnt(mask);
  let word: u64 = 0;
  let used: usize = 0;
  if (symbols > 0) {
    word = fourBytes(byteCode, places, peek(stream, position), symbols);
    used = <usize>(word >> 32);
    word &= 0xffffffff;
    if (symbols > 4) {
      const more = fourBytes(byteCode, places, peek(stream, position + used), symbols - 4);
      used += <usize>(more >> 32);
      word |= more << 32;
    }
  }
  const spread = i8x16.swizzle(i64x2.splat(word), v128.load64_zero(spreads + (mask << 3)));
  v128.store64_lane(bitmap, spread, 0);
  return used;
}

/** One to four symbols, the first lowest; above them the number of bits that they took. */
// @ts-ignore: decorator
@inline
function fourBytes(code: usize, places: u64, bits: u64, count: u32): u64 {
  bits <<= 1;
  // A sum of entries is one of lengths and one of symbols.
  let entry = lookup(code, places, bits);
  let sum = entry;
  let word = entry >> 8;
  if (count > 1) {
    bits >>= <u64>entry;
    entry = lookup(code, places, bits);
    sum += entry;
    word |= entry & 0xff00;
    if (count > 2) {
      bits >>= <u64>entry;
      entry = lookup(code, places, bits);
      sum += entry;
      word |= (entry & 0xff00) << 8;
      if (count > 3) {
        bits >>= <u64>entry;
        entry = lookup(code, places, bits);
        sum += entry;
        word |= (entry & 0xff00) << 16;
      }
    }
  }
  return <u64>word | (<u64>(sum & 0xff) << 32);
}

/** The symbol << 8 with which the bits begin, and its length. They begin at bit 1. */
// @ts-ignore: decorator
@inline
function lookup(code: usize, places: u64, bits: u64): u32 {
  return load<u16>(code + <usize>(bits & places));
}

/**
 * The groups of two lists, of two tiles by turns: finding a symbol takes a chain of instructions that wait for each other,
 * and two chains take hardly longer than one. Leaves those in the lists that are not known to be empty, by their numbers
 * alone. Stores the positions behind the last bits at `positions`, u32, and behind them the ends of the lists.
 */
export function decodeBitmaps(
  stream: usize,
  list: usize,
  count: u32,
  bitmap: usize,
  otherStream: usize,
  otherList: usize,
  otherCount: u32,
  otherBitmap: usize,
  codes: usize,
  spreads: usize,
  positions: usize,
): void {
  const batch = positions + 16;
  const otherBatch = batch + BATCH_BYTES;
  store<u64>(batch, 0);
  store<u64>(otherBatch, 0);
  let position: usize = 0;
  let otherPosition: usize = 0;
  let end = list;
  let otherEnd = otherList;
  const most = max(count, otherCount);
  for (let i: u32 = 0; i < most; i++) {
    if (i < count) {
      const entry = load<u32>(list + (i << 2));
      const group = entry & GROUP_MASK;
      position = decodeGroup(stream, position, entry >> CONTEXT_PLACE, codes, spreads, batch, bitmap + (group << 3));
      store<u32>(end, group);
      end += <usize>((position >> 31) ^ 1) << 2;
      position &= ~EMPTY;
    }
    if (i < otherCount) {
      const entry = load<u32>(otherList + (i << 2));
      const group = entry & GROUP_MASK;
      otherPosition = decodeGroup(otherStream, otherPosition, entry >> CONTEXT_PLACE, codes, spreads, otherBatch, otherBitmap + (group << 3));
      store<u32>(otherEnd, group);
      otherEnd += <usize>((otherPosition >> 31) ^ 1) << 2;
      otherPosition &= ~EMPTY;
    }
  }
  store<u32>(positions, <u32>position);
  store<u32>(positions, <u32>otherPosition, 4);
  store<u32>(positions, <u32>end, 8);
  store<u32>(positions, <u32>otherEnd, 12);
}

/**
 * The bitmaps of two tiles whose groups all have codes of bytes, and neither masks nor batches. Stores the positions behind the
 * last bits at `positions`, u32.
 * @param codes those of a context to which each group adds what `offsets` has of its scale
 */
export function decodeWhole(
  stream: usize,
  groups: u32,
  scales: usize,
  codes: usize,
  bitmap: usize,
  otherStream: usize,
  otherGroups: u32,
  otherScales: usize,
  otherCodes: usize,
  otherBitmap: usize,
  offsets: usize,
  positions: usize,
): void {
  let position: usize = 0;
  let otherPosition: usize = 0;
  const most = max(groups, otherGroups);
  for (let group: u32 = 0; group < most; group++) {
    if (group < groups) {
      const selected = codes + <usize>(<u32>load<u8>(offsets + load<u8>(scales + group)) * CONTEXT_BYTES);
      const places = <u64>load<u32>(selected, PLACES + BYTES);
      position = decodeAll(stream, position, <usize>load<u32>(selected, BYTES), places, bitmap + (group << 3));
    }
    if (group < otherGroups) {
      const selected = otherCodes + <usize>(<u32>load<u8>(offsets + load<u8>(otherScales + group)) * CONTEXT_BYTES);
      const places = <u64>load<u32>(selected, PLACES + BYTES);
      otherPosition = decodeAll(otherStream, otherPosition, <usize>load<u32>(selected, BYTES), places, otherBitmap + (group << 3));
    }
  }
  store<u32>(positions, <u32>position);
  store<u32>(positions, <u32>otherPosition, 4);
}

/**
 * The groups of one list; returns the position behind the last bit.
 * @param scratch room for 32 bytes
 */
export function decodeBitmap(
  stream: usize,
  list: usize,
  count: u32,
  bitmap: usize,
  codes: usize,
  spreads: usize,
  scratch: usize,
): usize {
  decodeBitmaps(stream, list, count, bitmap, 0, 0, 0, 0, codes, spreads, scratch);
  return load<u32>(scratch);
}
