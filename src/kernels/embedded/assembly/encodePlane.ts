import { contextOf, LATER_DENSE } from './contexts';
import { addToBatch, BEGINS_BATCH, encodeBitmap } from './encodeBitmap';
import { extract } from './entries';

/**
 * A plane of a tile to `out`; returns its bytes. Which groups are dense, and which have new weights, is random: they are listed
 * without branches.
 */
export function encodePlane(
  plane: usize,
  groups: u32,
  significant: usize,
  signs: usize,
  counts: usize,
  dense: usize,
  scales: usize,
  rule: usize,
  batches: usize,
  codes: usize,
  apart: bool,
  denseShift: u32,
  extracts: usize,
  list: usize,
  masks: usize,
  out: usize,
): usize {
  const start = out;
  let end = list;
  let inBatch: u32 = 0;
  let batch: u32 = 0;
  for (let first: u32 = 0; first < groups; first += 16) {
    const own = min(groups - first, 16);
    const words = plane + (first << 3);
    if (own == 16) {
      const states = v128.load(dense + first);
      if (i8x16.all_true(i8x16.eq(states, i8x16.splat(<i8>LATER_DENSE)))) {
        memory.copy(out, words, 128);
        out += 128;
        continue;
      }
      if (!v128.any_true(v128.or(states, v128.load(counts + first))) && areZeros(words)) {
        // Two batches begin among them.
        for (let group = first + (-inBatch & 7); group < first + 16; group += 8) {
          store<u32>(end, group | (contextOf(rule, 0, 0, load<u8>(scales + group)) << 16) | BEGINS_BATCH);
          end += 4;
        }
        batch &= (1 << (inBatch & 7)) - 1;
        store<u8>(batches + (inBatch >> 3), batch);
        store<u16>(batches + (inBatch >> 3), 0, 1);
        inBatch += 16;
        batch = 0;
        continue;
      }
    }
    for (let group = first; group < first + own; group++) {
      const state = <u32>load<u8>(dense + group);
      const count = <u32>load<u8>(counts + group);
      const word = load<u64>(plane + (group << 3));
      const coded = u32(state != LATER_DENSE);
      store<u64>(out, word);
      out += <usize>(coded ^ 1) << 3;
      const isIn = u32((state | count) == 0);
      const begins = isIn & u32((inBatch & 7) == 0);
      const context = contextOf(rule, count, state, load<u8>(scales + group));
      store<u32>(end, group | (context << 16) | (begins << 31));
      // Of an empty group in a batch, nothing is written but the batch.
      end += <usize>(coded & ((isIn ^ 1) | begins | u32(word != 0))) << 2;
      batch = addToBatch(batches, batch, inBatch, isIn, word);
      inBatch += isIn;
    }
  }
  if (end == list) return out - start;
  let position = encodeBitmap(plane, apart ? significant : 0, list, end, batches, codes, out, 0);
  if (apart) {
    let mask = masks;
    for (let from = list; from < end; from += 4, mask += 8) {
      const group = load<u32>(from) & 0xffff;
      store<u32>(from, group);
      store<u64>(mask, load<u64>(significant + (group << 3)) & -<u64>(load<u8>(dense + group) == 0));
    }
    position = extract(plane, list, end, masks, extracts, out, position);
  }
  let fresh = list;
  let mask = masks;
  for (let from = list; from < end; from += 4) {
    const group = load<u32>(from) & 0xffff;
    const state = <u32>load<u8>(dense + group);
    store<u8>(dense + group, state << denseShift);
    const at = group << 3;
    const known = load<u64>(significant + at);
    const bits = load<u64>(plane + at) & ~known & -<u64>(state == 0);
    store<u64>(significant + at, known | bits);
    store<u8>(counts + group, <u8>(load<u8>(counts + group) + <u32>popcnt(bits)));
    store<u32>(fresh, group);
    store<u64>(mask, bits);
    const listed = <usize>u32(bits != 0) << 2;
    fresh += listed;
    mask += listed << 1;
  }
  position = extract(signs, list, fresh, masks, extracts, out, position);
  return out - start + ((position + 7) >> 3);
}

/** Whether sixteen groups have no bit. */
// @ts-ignore: decorator
@inline
function areZeros(words: usize): bool {
  const first = v128.or(v128.or(v128.load(words), v128.load(words, 16)), v128.or(v128.load(words, 32), v128.load(words, 48)));
  const second = v128.or(v128.or(v128.load(words, 64), v128.load(words, 80)), v128.or(v128.load(words, 96), v128.load(words, 112)));
  return !v128.any_true(v128.or(first, second));
}
