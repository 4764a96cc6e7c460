// Bitmaps of tiles whose groups all have codes of bytes, and neither masks nor batches.
import { peek } from './bits';
import { BYTES, CONTEXT_BYTES, END, lookup, PLACES } from './bitmaps';
import { COUNTS, GROUPS, KINDS, MASKS, PLANE, POSITION, RECORD_BYTES, SCALES, UNIT } from './record';

/**
 * `KINDS` of a record is what each count of significant weights adds to the context of a group. Two tiles at a time, symbol by symbol:
 * a processor that looks only some hundred instructions ahead would not find the other tile's by itself.
 * @param offsets what each scale adds
 * @param copy room for a record
 */
export function decodeWhole(records: usize, end: usize, offsets: usize, codes: usize, copy: usize): void {
  for (let tile = records; tile < end; tile += RECORD_BYTES) store<u32>(tile, 0, POSITION);
  for (let tile = records; tile < end; tile += 2 * RECORD_BYTES) {
    const other = tile + RECORD_BYTES;
    const groups = load<u32>(tile, GROUPS);
    const otherGroups = other < end ? load<u32>(other, GROUPS) : 0;
    const both = min(groups, otherGroups);
    decodeTwo(tile, other, 0, both, offsets, codes);
    decodeAlone(tile, both, groups, offsets, codes, copy);
    decodeAlone(other, both, otherGroups, offsets, codes, copy);
  }
}

/** The same groups of two tiles. */
function decodeTwo(tile: usize, other: usize, from: u32, to: u32, offsets: usize, codes: usize): void {
  for (let group = from; group < to; group++) {
    const selected = codesOf(tile, group, offsets, codes);
    const otherSelected = codesOf(other, group, offsets, codes);
    const code = <usize>load<u32>(selected, BYTES);
    const otherCode = <usize>load<u32>(otherSelected, BYTES);
    const places = <u64>load<u32>(selected, PLACES + BYTES);
    const otherPlaces = <u64>load<u32>(otherSelected, PLACES + BYTES);
    const stream = <usize>load<u32>(tile, UNIT);
    const otherStream = <usize>load<u32>(other, UNIT);
    let position = <usize>load<u32>(tile, POSITION);
    let otherPosition = <usize>load<u32>(other, POSITION);
    let bitmap = <usize>load<u32>(tile, PLANE) + (group << 3);
    let otherBitmap = <usize>load<u32>(other, PLANE) + (group << 3);
    for (const end = bitmap + 8; bitmap < end; bitmap += 4, otherBitmap += 4) {
      // Four codes of 12 bits are sure to lie in one load.
      let bits = (peek(stream, position) << 1) | END;
      let otherBits = (peek(otherStream, otherPosition) << 1) | END;
      bits = byteTo(bitmap, code, places, bits);
      otherBits = byteTo(otherBitmap, otherCode, otherPlaces, otherBits);
      bits = byteTo(bitmap + 1, code, places, bits);
      otherBits = byteTo(otherBitmap + 1, otherCode, otherPlaces, otherBits);
      bits = byteTo(bitmap + 2, code, places, bits);
      otherBits = byteTo(otherBitmap + 2, otherCode, otherPlaces, otherBits);
      bits = byteTo(bitmap + 3, code, places, bits);
      otherBits = byteTo(otherBitmap + 3, otherCode, otherPlaces, otherBits);
      position += <usize>clz(bits);
      otherPosition += <usize>clz(otherBits);
    }
    store<u32>(tile, <u32>position, POSITION);
    store<u32>(other, <u32>otherPosition, POSITION);
  }
}

/** Groups of one tile: twice, the second time to where its masks would be, which takes no longer than once. */
function decodeAlone(tile: usize, from: u32, to: u32, offsets: usize, codes: usize, copy: usize): void {
  if (from >= to) return;
  memory.copy(copy, tile, RECORD_BYTES);
  store<u32>(copy, load<u32>(tile, MASKS), PLANE);
  decodeTwo(tile, copy, from, to, offsets, codes);
}

// @ts-ignore: decorator
@inline
function codesOf(tile: usize, group: u32, offsets: usize, codes: usize): usize {
  const count = load<u8>(<usize>load<u32>(tile, COUNTS) + group);
  const scale = load<u8>(<usize>load<u32>(tile, SCALES) + group);
  const kind = load<u8>(<usize>load<u32>(tile, KINDS) + count);
  return codes + <usize>((<u32>kind + <u32>load<u8>(offsets + scale)) * CONTEXT_BYTES);
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
