// Coded bitmaps: `../portable/bitmapCode.ts` says what they are.
import { peek } from './bits';
import {
  BATCH,
  BITMAP,
  ENTRIES,
  LIST,
  LIST_END,
  LISTED,
  PLANE,
  POSITION,
  RECORD_BYTES,
  SPREAD,
  STREAM,
} from './record';

/** Above the bits of four codes. What is above it after shifts says by how many bits. */
export const END: u64 = 1 << 63;

/**
 * The codes of a context are u32: addresses of those of masks, of bytes and of batches, then for each of these the bits of its
 * longest code, above one that says nothing: they are where in a table of u16 the next code is.
 */
export const CONTEXT_BYTES: u32 = 24;
export const BYTES: usize = 4;
const BATCHES: usize = 8;
export const PLACES: usize = 12;
/** Groups to decode are a list of u32: the number, and above it the context. */
const CONTEXT_PLACE: u32 = 16;
const GROUP_MASK: u32 = 0xffff;

/** Above a position: the group before it is not in the bitmap, for it has no bits. */
const EMPTY: usize = 1 << 31;

/**
 * A group of this context; returns the position behind it, with `EMPTY` if it has no bits. Its bitmap is stored by `flush`.
 * @param tile its record
 * @param codes those of each context. Without one of masks, all bytes are coded; without one of bytes, they are stored
 *   as they are; without one of batches, the group is in none.
 */
// @ts-ignore: decorator
@inline
function decodeGroup(tile: usize, context: u32, codes: usize, spreads: usize, states: usize, bitmap: usize): usize {
  const stream = <usize>load<u32>(tile, STREAM);
  let position = <usize>load<u32>(tile, POSITION);
  const selected = codes + <usize>(context * CONTEXT_BYTES);
  const batchCode = <usize>load<u32>(selected, BATCHES);
  store<u32>(tile, <u32>bitmap, BITMAP);
  if (batchCode != 0) {
    let groups = load<u32>(tile, BATCH);
    let left = load<u32>(tile, BATCH + 4);
    if (left == 0) {
      const entry = lookup(batchCode, load<u32>(selected, PLACES + BATCHES), peek(stream, position) << 1);
      position += entry & 0xff;
      groups = entry >> 8;
      left = 8;
    }
    store<u32>(tile, groups >> 1, BATCH);
    store<u32>(tile, left - 1, BATCH + 4);
    if ((groups & 1) == 0) {
      store<u32>(tile, <u32>spreads, SPREAD);
      return position | EMPTY;
    }
  }
  const maskCode = <usize>load<u32>(selected);
  const byteCode = <usize>load<u32>(selected, BYTES);
  if (byteCode == 0) {
    // Position and 64 bits: the last byte may be in a ninth.
    const low = peek(stream, position) & 0xffffffff;
    store<u64>(bitmap, low | (peek(stream, position + 32) << 32));
    // It is there already: nothing that is flushed may come over it.
    store<u32>(tile, <u32>states + 8, BITMAP);
    return position + 64;
  }
  let mask: u32 = 0xff;
  if (maskCode != 0) {
    const entry = lookup(maskCode, load<u32>(selected, PLACES), peek(stream, position) << 1);
    position += entry & 0xff;
    mask = entry >> 8;
  }
  store<u32>(tile, <u32>spreads + (mask << 3), SPREAD);
  // Of four symbols, all are decoded, however many there are: their number is random, and branches would be mispredicted. Behind
  // eight they are not: finding four more takes longer than to be wrong now and then.
  const places = <u64>load<u32>(selected, PLACES + BYTES);
  const symbols = popcnt(mask);
  const four = decodeFour(stream, position, byteCode, places, tile + ENTRIES, states);
  if (symbols > 4) {
    decodeFour(stream, four, byteCode, places, tile + ENTRIES + 8, states + 32);
    position = four;
  }
  return position + <usize>clz(load<u64>(states + (<usize>symbols << 3)));
}

/**
 * Entries of four symbols to `out`; returns the position behind them.
 * @param states room for a u64 and, of each of them, what is left of the bits behind it, with `END`
 */
// @ts-ignore: decorator
@inline
function decodeFour(stream: usize, position: usize, code: usize, places: u64, out: usize, states: usize): usize {
  let bits = (peek(stream, position) << 1) | END;
  let entry = lookup(code, places, bits);
  store<u16>(out, <u16>entry);
  bits >>= <u64>entry;
  store<u64>(states, bits, 8);
  entry = lookup(code, places, bits);
  store<u16>(out, <u16>entry, 2);
  bits >>= <u64>entry;
  store<u64>(states, bits, 16);
  entry = lookup(code, places, bits);
  store<u16>(out, <u16>entry, 4);
  bits >>= <u64>entry;
  store<u64>(states, bits, 24);
  entry = lookup(code, places, bits);
  store<u16>(out, <u16>entry, 6);
  bits >>= <u64>entry;
  store<u64>(states, bits, 32);
  return position + <usize>clz(bits);
}

/** Stores the bitmap of the last group. Later than its symbols, because a load of what has just been stored in parts waits for that. */
// @ts-ignore: decorator
@inline
function flush(tile: usize): void {
  const spread = i8x16.swizzle(v128.load(tile, ENTRIES), v128.load64_zero(load<u32>(tile, SPREAD)));
  v128.store64_lane(load<u32>(tile, BITMAP), spread, 0);
}

/** The symbol << 8 with which the bits begin, and its length. They begin at bit 1. */
// @ts-ignore: decorator
@inline
export function lookup(code: usize, places: u64, bits: u64): u32 {
  return load<u16>(code + <usize>(bits & places));
}

/**
 * The groups in the lists of tiles, by turns: finding a symbol takes a chain of instructions that wait for each other, and several
 * chains take hardly longer than one. Leaves those in the lists that are not known to be empty, by their numbers alone.
 * @param end behind the records of the tiles
 * @param states room for 72 bytes
 */
export function decodeBitmaps(records: usize, end: usize, codes: usize, spreads: usize, states: usize): void {
  let most: u32 = 0;
  // Behind no symbol, none of the bits is used up.
  store<u64>(states, END);
  for (let tile = records; tile < end; tile += RECORD_BYTES) {
    store<u32>(tile, 0, POSITION);
    store<u32>(tile, load<u32>(tile, LIST), LIST_END);
    store<u64>(tile, 0, BATCH);
    store<u32>(tile, <u32>spreads, SPREAD);
    store<u32>(tile, <u32>states + 8, BITMAP);
    most = max(most, load<u32>(tile, LISTED));
  }
  for (let i: u32 = 0; i < most; i++) {
    for (let tile = records; tile < end; tile += RECORD_BYTES) {
      if (i >= load<u32>(tile, LISTED)) continue;
      flush(tile);
      const entry = load<u32>(<usize>load<u32>(tile, LIST) + (i << 2));
      const group = entry & GROUP_MASK;
      const bitmap = <usize>load<u32>(tile, PLANE) + (group << 3);
      const position = decodeGroup(tile, entry >> CONTEXT_PLACE, codes, spreads, states, bitmap);
      store<u32>(tile, <u32>(position & ~EMPTY), POSITION);
      const last = <usize>load<u32>(tile, LIST_END);
      store<u32>(last, group);
      store<u32>(tile, <u32>(last + (((position >> 31) ^ 1) << 2)), LIST_END);
    }
  }
  for (let tile = records; tile < end; tile += RECORD_BYTES) flush(tile);
}

/**
 * The groups of one list; returns the position behind the last bit.
 * @param scratch room for a record and 72 bytes
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
  store<u32>(scratch, <u32>stream, STREAM);
  store<u32>(scratch, <u32>list, LIST);
  store<u32>(scratch, count, LISTED);
  store<u32>(scratch, <u32>bitmap, PLANE);
  const end = scratch + RECORD_BYTES;
  decodeBitmaps(scratch, end, codes, spreads, end);
  return load<u32>(scratch, POSITION);
}
