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
  const places = <u64>load<u32>(selected, PLACES + BYTES);
  // Dense groups come in runs where scales make them dense.
  if (maskCode == 0) return decodeAll(stream, position, byteCode, places, bitmap);
  const masks = lookup(maskCode, load<u32>(selected, PLACES), peek(stream, position) << 1);
  position += masks & 0xff;
  return decodeSome(stream, position, masks >> 8, byteCode, places, spreads, bitmap);
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

/** The bytes of a group that are in `mask`; returns the position behind them. */
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
  let bits = (peek(stream, position) << 1) | END;
  // Each symbol comes in at the top, above those before it.
  let word: u64 = 0;
  let entry: u32 = 0;
  // One jump to as many symbols as there are: their number is random, and branches would be mispredicted one after another.
  switch (symbols) {
    case 8:
      entry = lookup(byteCode, places, bits);
      word = push(word, entry);
      bits >>= <u64>entry;
    case 7:
      entry = lookup(byteCode, places, bits);
      word = push(word, entry);
      bits >>= <u64>entry;
    case 6:
      entry = lookup(byteCode, places, bits);
      word = push(word, entry);
      bits >>= <u64>entry;
    case 5:
      entry = lookup(byteCode, places, bits);
      word = push(word, entry);
      bits >>= <u64>entry;
      // Four codes of 12 bits are sure to lie in one load.
      position += <usize>clz(bits);
      bits = (peek(stream, position) << 1) | END;
    case 4:
      entry = lookup(byteCode, places, bits);
      word = push(word, entry);
      bits >>= <u64>entry;
    case 3:
      entry = lookup(byteCode, places, bits);
      word = push(word, entry);
      bits >>= <u64>entry;
    case 2:
      entry = lookup(byteCode, places, bits);
      word = push(word, entry);
      bits >>= <u64>entry;
    case 1:
      entry = lookup(byteCode, places, bits);
      word = push(word, entry);
      bits >>= <u64>entry;
  }
  // Without symbols, the shift by 64 is none.
  word >>= <u64>(64 - 8 * symbols);
  const spread = i8x16.swizzle(i64x2.splat(word), v128.load64_zero(spreads + (mask << 3)));
  v128.store64_lane(bitmap, spread, 0);
  return position + <usize>clz(bits);
}

// @ts-ignore: decorator
@inline
function push(word: u64, entry: u32): u64 {
  return (word >> 8) | (<u64>(entry >> 8) << 56);
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
 * @param kinds what each count of significant weights adds to the context of a group
 * @param offsets what each scale adds
 */
export function decodeWhole(
  stream: usize,
  groups: u32,
  counts: usize,
  scales: usize,
  kinds: usize,
  bitmap: usize,
  otherStream: usize,
  otherGroups: u32,
  otherCounts: usize,
  otherScales: usize,
  otherKinds: usize,
  otherBitmap: usize,
  offsets: usize,
  codes: usize,
  positions: usize,
): void {
  let position: usize = 0;
  let otherPosition: usize = 0;
  const most = max(groups, otherGroups);
  for (let group: u32 = 0; group < most; group++) {
    if (group < groups) {
      const context = <u32>load<u8>(kinds + load<u8>(counts + group)) + <u32>load<u8>(offsets + load<u8>(scales + group));
      const selected = codes + <usize>(context * CONTEXT_BYTES);
      const places = <u64>load<u32>(selected, PLACES + BYTES);
      position = decodeAll(stream, position, <usize>load<u32>(selected, BYTES), places, bitmap + (group << 3));
    }
    if (group < otherGroups) {
      const context = <u32>load<u8>(otherKinds + load<u8>(otherCounts + group)) + <u32>load<u8>(offsets + load<u8>(otherScales + group));
      const selected = codes + <usize>(context * CONTEXT_BYTES);
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
