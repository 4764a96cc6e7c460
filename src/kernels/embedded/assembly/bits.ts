// Bit streams, and bits to their places.

/** The next bits of a stream, at least 57 of them valid. */
// @ts-ignore: decorator
@inline
export function peek(stream: usize, position: usize): u64 {
  return load<u64>(stream + (position >> 3)) >> (position & 7);
}

/**
 * Spreads the low bits of `bits` to the places of the bits set in `mask`, lowest first; those above do not matter. Byte by
 * byte, by the table of `../maskTables.ts`. Written out, for shifts by constants are cheap.
 */
// @ts-ignore: decorator
@inline
export function deposit(bits: u64, mask: u64, table: usize): u64 {
  return <u64>depositHalf(bits, <u32>mask, table) | (<u64>depositHalf(bits >> popcnt(mask & 0xffffffff), <u32>(mask >> 32), table) << 32);
}

// @ts-ignore: decorator
@inline
function depositHalf(bits: u64, mask: u32, table: usize): u32 {
  const a = depositByte(<u32>bits, (mask & 0xff) << 2, table);
  bits >>= <u64>popcnt(mask & 0xff);
  const b = depositByte(<u32>bits, (mask >> 6) & 0x3fc, table);
  bits >>= <u64>popcnt(mask & 0xff00);
  const c = depositByte(<u32>bits, (mask >> 14) & 0x3fc, table);
  bits >>= <u64>popcnt(mask & 0xff0000);
  const d = depositByte(<u32>bits, (mask >> 22) & 0x3fc, table);
  return a | (b << 8) | (c << 16) | (d << 24);
}

/** @param mask four times it */
// @ts-ignore: decorator
@inline
function depositByte(bits: u32, mask: u32, table: usize): u32 {
  const row = load<u32>(table + mask);
  return <u32>load<u8>(table + (row >> 8) + (bits & row & 0xff));
}

/** The next 0 to 64 bits; those above are 0. */
// @ts-ignore: decorator
@inline
export function read(stream: usize, position: usize, count: u32): u64 {
  const low = peek(stream, position) & 0xffffffff;
  const all = low | (peek(stream, position + 32) << 32);
  return count == 64 ? all : all & ((<u64>1 << count) - 1);
}
