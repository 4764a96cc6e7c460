import { entry } from './entries';

/** The class of a group with so many significant weights. */
// @ts-ignore: decorator
@inline
function classOf(count: u32): u32 {
  return (
    u32(count >= 1) + u32(count >= 2) + u32(count >= 4) + u32(count >= 7) + u32(count >= 11) +
    u32(count >= 16) + u32(count >= 24) + u32(count >= 33) + u32(count >= 45)
  );
}

/** Which bytes of a group are not 0. */
// @ts-ignore: decorator
@inline
export function byteMask(word: u64): u32 {
  return i8x16.bitmask(i8x16.ne(i64x2(word, 0), i8x16.splat(0))) & 0xff;
}

/**
 * Codes the groups that are not dense (with `dense` 0, all); returns the end of the list. Of a group's bits, those set
 * in `hidden` are taken for 0; with `hidden` 0, none. `codes` is laid out as for `decodeBitmap`; a code is 256 entries.
 */
export function encodeBitmap(
  bitmap: usize,
  hidden: usize,
  groups: u32,
  counts: usize,
  dense: usize,
  codes: usize,
  list: usize,
): usize {
  const batchCode = <usize>load<u32>(codes);
  let batch: u32 = 0;
  let inBatch: u32 = 0;
  let batchPlace: usize = 0;
  for (let group: u32 = 0; group < groups; group++) {
    if (dense != 0 && load<u8>(dense + group) != 0) continue;
    let word = load<u64>(bitmap + (group << 3));
    if (hidden != 0) word &= ~load<u64>(hidden + (group << 3));
    let mask = byteMask(word);
    const kind = classOf(load<u8>(counts + group));
    if (kind == 0) {
      if (inBatch == 0) {
        batchPlace = list;
        list += 4;
        batch = 0;
      }
      batch |= u32(mask != 0) << inBatch;
      // Written again with every group: the batch may end early.
      store<u32>(batchPlace, load<u32>(batchCode + (batch << 2)));
      inBatch = (inBatch + 1) & 7;
      if (mask == 0) continue;
    }
    const maskCode = <usize>load<u32>(codes + 4 + (kind << 3));
    if (maskCode == 0) {
      store<u32>(list, entry(<u32>(word & 0xffffff), 24));
      store<u32>(list, entry(<u32>((word >> 24) & 0xffffff), 24), 4);
      store<u32>(list, entry(<u32>(word >> 48), 16), 8);
      list += 12;
      continue;
    }
    const byteCode = <usize>load<u32>(codes + 8 + (kind << 3));
    store<u32>(list, load<u32>(maskCode + (mask << 2)));
    list += 4;
    for (; mask != 0; mask &= mask - 1) {
      const byte = <u32>(word >> (ctz(mask) << 3)) & 0xff;
      store<u32>(list, load<u32>(byteCode + (byte << 2)));
      list += 4;
    }
  }
  return list;
}

/** Symbols by how many of their bits are set, 0 to 8. */
const POPULATIONS: u32 = 9;
const CLASSES: u32 = 10;

/** Counts what `encodeBitmap` would code: u32, of batches, then of each class's masks, then of its bytes. */
export function countSymbols(
  bitmap: usize,
  hidden: usize,
  groups: u32,
  counts: usize,
  dense: usize,
  symbols: usize,
): void {
  const masks = symbols + 4 * POPULATIONS;
  const bytes = masks + 4 * POPULATIONS * CLASSES;
  let batch: u32 = 0;
  let inBatch: u32 = 0;
  for (let group: u32 = 0; group < groups; group++) {
    if (load<u8>(dense + group) != 0) continue;
    let word = load<u64>(bitmap + (group << 3));
    if (hidden != 0) word &= ~load<u64>(hidden + (group << 3));
    const mask = byteMask(word);
    const kind = classOf(load<u8>(counts + group));
    if (kind == 0) {
      batch |= u32(mask != 0) << inBatch;
      inBatch += 1;
      if (inBatch == 8) {
        increment(symbols, batch);
        batch = 0;
        inBatch = 0;
      }
      if (mask == 0) continue;
    }
    increment(masks + kind * 4 * POPULATIONS, mask);
    const ofClass = bytes + kind * 4 * POPULATIONS;
    for (let k = 0; k < 8; k++, word >>= 8) increment(ofClass, <u32>(word & 0xff));
  }
  if (inBatch > 0) increment(symbols, batch);
}

// @ts-ignore: decorator
@inline
function increment(histogram: usize, symbol: u32): void {
  const at = histogram + (popcnt(symbol) << 2);
  store<u32>(at, load<u32>(at) + 1);
}
