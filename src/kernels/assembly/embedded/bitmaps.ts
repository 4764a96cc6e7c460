// Coded bitmaps: `src/kernels/portable/embedded/bitmapCode.ts` says what they are. A table of codes is an array of u32
// addresses: the code of batches, then for each class the code of its masks and of its bytes; 0 where they are raw.

export const MAX_CODE_BITS: u32 = 12;
const LOOKUP_MASK: u64 = (1 << MAX_CODE_BITS) - 1;

/** The next bits of a stream, at least 57 of them valid. */
// @ts-ignore: decorator
@inline
export function peek(stream: usize, position: usize): u64 {
  return load<u64>(stream + (position >> 3)) >> (position & 7);
}

/** The class of a group with so many significant weights. */
// @ts-ignore: decorator
@inline
export function classOf(count: u32): u32 {
  return (
    u32(count >= 1) + u32(count >= 2) + u32(count >= 4) + u32(count >= 7) + u32(count >= 11) +
    u32(count >= 16) + u32(count >= 24) + u32(count >= 33) + u32(count >= 45)
  );
}

/** Fills the groups that are not dense; with `dense` 0, all. Returns the position behind the last bit. */
export function decodeBitmap(
  stream: usize,
  position: usize,
  groups: u32,
  counts: usize,
  dense: usize,
  bitmap: usize,
  codes: usize,
): usize {
  let batch: u32 = 0;
  let batchLeft: u32 = 0;
  const batchCode = <usize>load<u32>(codes);
  for (let group: u32 = 0; group < groups; group++, bitmap += 8) {
    if (dense != 0 && load<u8>(dense + group) != 0) continue;
    const kind = classOf(load<u8>(counts + group));
    if (kind == 0) {
      if (batchLeft == 0) {
        const entry = <u32>load<u16>(batchCode + ((<usize>(peek(stream, position) & LOOKUP_MASK)) << 1));
        position += entry >> 8;
        batch = entry & 0xff;
        batchLeft = 8;
      }
      const empty = (batch & 1) == 0;
      batch >>= 1;
      batchLeft -= 1;
      if (empty) {
        store<u64>(bitmap, 0);
        continue;
      }
    }
    const maskCode = <usize>load<u32>(codes + 4 + (kind << 3));
    if (maskCode == 0) {
      // Position and 64 bits: the last byte may lie in a ninth.
      const low = peek(stream, position) & 0xffffffff;
      store<u64>(bitmap, low | (peek(stream, position + 32) << 32));
      position += 64;
      continue;
    }
    const byteCode = <usize>load<u32>(codes + 8 + (kind << 3));
    const entry = <u32>load<u16>(maskCode + ((<usize>(peek(stream, position) & LOOKUP_MASK)) << 1));
    position += entry >> 8;
    let mask = entry & 0xff;
    let word: u64 = 0;
    // Four codes of 12 bits are sure to lie in one load.
    while (mask != 0) {
      let bits = peek(stream, position);
      for (let k = 0; k < 4 && mask != 0; k++, mask &= mask - 1) {
        const found = <u32>load<u16>(byteCode + ((<usize>(bits & LOOKUP_MASK)) << 1));
        const length = found >> 8;
        bits >>= length;
        position += length;
        word |= (<u64>(found & 0xff)) << (ctz(mask) << 3);
      }
    }
    store<u64>(bitmap, word);
  }
  return position;
}

/**
 * Spreads the low bits of `bits` to the places of the bits set in `mask`, lowest first: byte by byte, by the table of
 * what each mask (high byte of the index) makes of each eight bits.
 */
// @ts-ignore: decorator
@inline
export function deposit(bits: u64, mask: u64, table: usize): u64 {
  let result: u64 = 0;
  for (let shift: u64 = 0; shift < 64; shift += 8) {
    const places = <u32>(mask >> shift) & 0xff;
    result |= (<u64>load<u8>(table + ((places << 8) | (<u32>bits & 0xff)))) << shift;
    bits >>= popcnt(places);
  }
  return result;
}

/** The next 0 to 64 bits; those above are 0. */
// @ts-ignore: decorator
@inline
export function read(stream: usize, position: usize, count: u32): u64 {
  const low = peek(stream, position) & 0xffffffff;
  const all = low | (peek(stream, position + 32) << 32);
  return count == 64 ? all : all & ((<u64>1 << count) - 1);
}
