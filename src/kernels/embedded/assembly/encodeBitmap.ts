import { contextOf, LATER_DENSE } from './contexts';

/** The codes of a context are u32: addresses of those of masks, of bytes and of batches. */
const CONTEXT_BYTES: u32 = 12;
const BYTES: usize = 4;
const BATCHES: usize = 8;
/** Of an entry: the code, and above it its length. */
const CODE: u64 = 0xffffff;
const LENGTH_PLACE: u64 = 24;
/** In a list of groups, the highest bit of the context: a batch begins with the group. */
export const BEGINS_BATCH: u32 = 0x80000000;
/** In place of a context: the group is not in the bitmap. */
const NO_CONTEXT: u32 = 0xff;

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
 * The batch that a group is added to, if it `isIn` one, after `before` groups; it begins as 0. What was in it before is passed
 * on in a register, and not read again from where it has just been stored.
 */
// @ts-ignore: decorator
@inline
export function addToBatch(batches: usize, batch: u32, before: u32, isIn: u32, word: u64): u32 {
  const place = before & 7;
  batch = (batch & ((1 << place) - 1)) | ((isIn & u32(word != 0)) << place);
  store<u8>(batches + (before >> 3), batch);
  return batch;
}

/**
 * Codes the groups of a list of u32, each with its context in the upper half, from bit `position` of `out` on; returns the
 * position behind them. Of a group's bits, those set in `hidden` are taken for 0; with `hidden` 0, none. What is written of each
 * group is the same few steps, whichever of its bytes are 0: these have codes of no bits. `codes` is laid out as for
 * `decodeBitmap`; a code is 256 entries.
 * @param list of groups that are in a batch, those that begin it, and those with bits
 * @param batches a bit for each group in a batch: it is not 0
 */
export function encodeBitmap(
  bitmap: usize,
  hidden: usize,
  list: usize,
  end: usize,
  batches: usize,
  codes: usize,
  out: usize,
  position: usize,
): usize {
  let at = out + (position >> 3);
  let bits = <u64>(position & 7);
  let pending = <u64>load<u8>(at) & ((<u64>1 << bits) - 1);
  for (; list < end; list += 4) {
    const listed = load<u32>(list);
    const place = <usize>(listed & 0xffff) << 3;
    let word = load<u64>(bitmap + place);
    if (hidden != 0) word &= ~load<u64>(hidden + place);
    const selected = codes + <usize>(((listed & ~BEGINS_BATCH) >> 16) * CONTEXT_BYTES);
    if ((listed & BEGINS_BATCH) != 0) {
      const batchCode = <usize>load<u32>(selected, BATCHES);
      const code = <u64>load<u32>(batchCode + (<usize>load<u8>(batches) << 2));
      batches += 1;
      pending |= (code & CODE) << bits;
      bits += code >> LENGTH_PLACE;
      store<u64>(at, pending);
      at += <usize>(bits >> 3);
      pending >>= bits & 56;
      bits &= 7;
      if (word == 0) continue;
    }
    const maskCode = <usize>load<u32>(selected);
    const byteCode = <usize>load<u32>(selected, BYTES);
    if (byteCode == 0) {
      store<u64>(at, pending | (word << bits));
      at += 8;
      // In two steps, because a shift by 64 is one by 0.
      pending = (word >> 1) >> (63 - bits);
      continue;
    }
    // Of an address 0, anything is read.
    const mask = <u64>(load<u32>(maskCode + (<usize>byteMask(word) << 2)) & -u32(maskCode != 0));
    pending |= (mask & CODE) << bits;
    bits += mask >> LENGTH_PLACE;
    store<u64>(at, pending);
    at += <usize>(bits >> 3);
    pending >>= bits & 56;
    bits &= 7;
    for (let half: u32 = 0; half < 2; half++, word >>= 32) {
      // Four codes of 12 bits and what is pending fit 64.
      const a = <u64>load<u32>(byteCode + (<usize>(word & 0xff) << 2));
      const b = <u64>load<u32>(byteCode + (<usize>((word >> 8) & 0xff) << 2));
      const c = <u64>load<u32>(byteCode + (<usize>((word >> 16) & 0xff) << 2));
      const d = <u64>load<u32>(byteCode + (<usize>((word >> 24) & 0xff) << 2));
      const lengthAB = (a >> LENGTH_PLACE) + (b >> LENGTH_PLACE);
      const ab = (a & CODE) | ((b & CODE) << (a >> LENGTH_PLACE));
      const cd = (c & CODE) | ((d & CODE) << (c >> LENGTH_PLACE));
      pending |= (ab | (cd << lengthAB)) << bits;
      bits += lengthAB + (c >> LENGTH_PLACE) + (d >> LENGTH_PLACE);
      store<u64>(at, pending);
      at += <usize>(bits >> 3);
      pending >>= bits & 56;
      bits &= 7;
    }
  }
  store<u8>(at, <u8>pending);
  return ((at - out) << 3) + <usize>bits;
}

/** Symbols by how many of their bits are set, 0 to 8. */
const POPULATIONS: u32 = 9;
const CLASSES: u32 = 10;

/**
 * Counts what `encodeBitmap` would code with a selection: u32, of batches, then of each class's masks, then of its bytes, where
 * bytes of 0 are counted, too. Returns the groups that are dense since the plane before.
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

/** Of fixed codes: the kinds of groups, which contexts of a ratio are of, and how many of these are not dense. */
const FIXED_KINDS: u32 = 10;
const FIXED_CLASSES: u32 = 5;
/** Of a context, u32 of its batches, masks and bytes. */
const BATCH_COUNTS: usize = 0;
const MASK_COUNTS: usize = 4 * POPULATIONS;
const BYTE_COUNTS: usize = 8 * POPULATIONS;
const CONTEXT_COUNTS: usize = 12 * POPULATIONS;

/** The same with fixed codes: of each context batches, masks and bytes. */
export function countFixed(bitmap: usize, groups: u32, contexts: usize, symbols: usize): void {
  let batchCounts: usize = 0;
  let batch: u32 = 0;
  let inBatch: u32 = 0;
  for (let group: u32 = 0; group < groups; group++) {
    const context = <u32>load<u8>(contexts + group);
    if (context == NO_CONTEXT) continue;
    let word = load<u64>(bitmap + (group << 3));
    const counts = symbols + CONTEXT_COUNTS * <usize>context;
    const kind = context % FIXED_KINDS;
    if (kind < FIXED_CLASSES) {
      const mask = byteMask(word);
      if (kind == 0) {
        if (inBatch == 0) batchCounts = counts + BATCH_COUNTS;
        batch |= u32(mask != 0) << inBatch;
        inBatch += 1;
        if (inBatch == 8) {
          increment(batchCounts, batch);
          batch = 0;
          inBatch = 0;
        }
        if (mask == 0) continue;
      }
      increment(counts + MASK_COUNTS, mask);
    }
    for (let k = 0; k < 8; k++, word >>= 8) increment(counts + BYTE_COUNTS, <u32>(word & 0xff));
  }
  if (inBatch > 0) increment(batchCounts, batch);
}

// @ts-ignore: decorator
@inline
function increment(histogram: usize, symbol: u32): void {
  const at = histogram + (popcnt(symbol) << 2);
  store<u32>(at, load<u32>(at) + 1);
}
