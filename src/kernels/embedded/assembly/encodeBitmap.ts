import { contextOf } from './contexts';
import { entry } from './entries';

/** The codes of a context are u32: addresses of those of masks, of bytes and of batches. */
const CONTEXT_BYTES: u32 = 12;
const BYTES: usize = 4;
const BATCHES: usize = 8;
/** In place of a context: the group is not in the bitmap. */
const NO_CONTEXT: u32 = 0xff;
/** In `dense`: the plane is stored. */
const LATER_DENSE: u32 = 4;

/** Which bytes of a group are not 0. */
// @ts-ignore: decorator
@inline
export function byteMask(word: u64): u32 {
  return i8x16.bitmask(i8x16.ne(i64x2(word, 0), i8x16.splat(0))) & 0xff;
}

/** The contexts of a plane's groups to `contexts`. */
export function findContexts(groups: u32, counts: usize, dense: usize, scales: usize, rule: usize, contexts: usize): void {
  for (let group: u32 = 0; group < groups; group++) {
    const state = <u32>load<u8>(dense + group);
    const context = state == LATER_DENSE ? NO_CONTEXT : contextOf(rule, load<u8>(counts + group), state, load<u8>(scales + group));
    store<u8>(contexts + group, <u8>context);
  }
}

/**
 * Codes the groups that have a context; returns the end of the list. Of a group's bits, those set in `hidden` are taken
 * for 0; with `hidden` 0, none. `codes` is laid out as for `decodeBitmap`; a code is 256 entries.
 */
export function encodeBitmap(bitmap: usize, hidden: usize, groups: u32, contexts: usize, codes: usize, list: usize): usize {
  let batchCode: usize = 0;
  let batch: u32 = 0;
  let inBatch: u32 = 0;
  let batchPlace: usize = 0;
  for (let group: u32 = 0; group < groups; group++) {
    const context = <u32>load<u8>(contexts + group);
    if (context == NO_CONTEXT) continue;
    let word = load<u64>(bitmap + (group << 3));
    if (hidden != 0) word &= ~load<u64>(hidden + (group << 3));
    let mask = byteMask(word);
    const selected = codes + <usize>(context * CONTEXT_BYTES);
    const ownBatch = <usize>load<u32>(selected, BATCHES);
    if (ownBatch != 0) {
      if (inBatch == 0) {
        batchCode = ownBatch;
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
    const maskCode = <usize>load<u32>(selected);
    const byteCode = <usize>load<u32>(selected, BYTES);
    if (byteCode == 0) {
      store<u32>(list, entry(<u32>(word & 0xffffff), 24));
      store<u32>(list, entry(<u32>((word >> 24) & 0xffffff), 24), 4);
      store<u32>(list, entry(<u32>(word >> 48), 16), 8);
      list += 12;
      continue;
    }
    if (maskCode != 0) {
      store<u32>(list, load<u32>(maskCode + (mask << 2)));
      list += 4;
    } else mask = 0xff;
    for (; mask != 0; mask &= mask - 1) {
      const byte = <u32>(word >> (ctz(mask) << 3)) & 0xff;
      store<u32>(list, load<u32>(byteCode + (byte << 2)));
      list += 4;
    }
  }
  return list;
}

/** The bits that `encodeBitmap` writes with fixed codes, which store no bytes as they are. */
export function fixedBits(bitmap: usize, groups: u32, contexts: usize, codes: usize): u32 {
  let bits: u32 = 0;
  let batchCode: usize = 0;
  let batch: u32 = 0;
  let inBatch: u32 = 0;
  for (let group: u32 = 0; group < groups; group++) {
    const context = <u32>load<u8>(contexts + group);
    if (context == NO_CONTEXT) continue;
    const word = load<u64>(bitmap + (group << 3));
    let mask = byteMask(word);
    const selected = codes + <usize>(context * CONTEXT_BYTES);
    const ownBatch = <usize>load<u32>(selected, BATCHES);
    if (ownBatch != 0) {
      if (inBatch == 0) batchCode = ownBatch;
      batch |= u32(mask != 0) << inBatch;
      inBatch += 1;
      if (inBatch == 8) {
        bits += lengthOf(batchCode, batch);
        batch = 0;
        inBatch = 0;
      }
      if (mask == 0) continue;
    }
    const maskCode = <usize>load<u32>(selected);
    const byteCode = <usize>load<u32>(selected, BYTES);
    if (maskCode != 0) bits += lengthOf(maskCode, mask);
    else mask = 0xff;
    for (; mask != 0; mask &= mask - 1) bits += lengthOf(byteCode, <u32>(word >> (ctz(mask) << 3)) & 0xff);
  }
  return inBatch > 0 ? bits + lengthOf(batchCode, batch) : bits;
}

// @ts-ignore: decorator
@inline
function lengthOf(code: usize, symbol: u32): u32 {
  return load<u8>(code + (symbol << 2), 3);
}

/** Symbols by how many of their bits are set, 0 to 8. */
const POPULATIONS: u32 = 9;
const CLASSES: u32 = 10;

/**
 * Counts what `encodeBitmap` would code with a selection: u32, of batches, then of each class's masks, then of its bytes.
 * Returns the groups that are dense since the plane before.
 */
export function countSymbols(bitmap: usize, hidden: usize, groups: u32, contexts: usize, symbols: usize): u32 {
  const masks = symbols + 4 * POPULATIONS;
  const bytes = masks + 4 * POPULATIONS * CLASSES;
  let batch: u32 = 0;
  let inBatch: u32 = 0;
  let firstDense: u32 = 0;
  for (let group: u32 = 0; group < groups; group++) {
    const kind = <u32>load<u8>(contexts + group);
    if (kind >= CLASSES) {
      firstDense += u32(kind == CLASSES);
      continue;
    }
    let word = load<u64>(bitmap + (group << 3));
    if (hidden != 0) word &= ~load<u64>(hidden + (group << 3));
    const mask = byteMask(word);
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
  return firstDense;
}

// @ts-ignore: decorator
@inline
function increment(histogram: usize, symbol: u32): void {
  const at = histogram + (popcnt(symbol) << 2);
  store<u32>(at, load<u32>(at) + 1);
}
