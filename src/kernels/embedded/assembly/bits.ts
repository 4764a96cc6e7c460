// Bit streams, and bits to their places.

/** The next bits of a stream, at least 57 of them valid. */
// @ts-ignore: decorator
@inline
export function peek(stream: usize, position: usize): u64 {
  return load<u64>(stream + (position >> 3)) >> (position & 7);
}

/**
 * Spreads the low bits of `bits` to the places of the bits set in `mask`, lowest first: byte by byte, by the table of
 * what each mask (high byte of the index) makes of each eight bits. Written out, for shifts by constants are cheap.
 */
// @ts-ignore: decorator
@inline
export function deposit(bits: u64, mask: u64, table: usize): u64 {
  return <u64>depositHalf(bits, <u32>mask, table) | (<u64>depositHalf(bits >> popcnt(mask & 0xffffffff), <u32>(mask >> 32), table) << 32);
}

// @ts-ignore: decorator
@inline
function depositHalf(bits: u64, mask: u32, table: usize): u32 {
  const a = <u32>load<u8>(table + (((mask & 0xff) << 8) | (<u32>bits & 0xff)));
  bits >>= <u64>popcnt(mask & 0xff);
  const b = <u32>load<u8>(table + ((mask & 0xff00) | (<u32>bits & 0xff)));
  bits >>= <u64>popcnt(mask & 0xff00);
  const c = <u32>load<u8>(table + (((mask >> 8) & 0xff00) | (<u32>bits & 0xff)));
  bits >>= <u64>popcnt(mask & 0xff0000);
  const d = <u32>load<u8>(table + (((mask >> 16) & 0xff00) | (<u32>bits & 0xff)));
  return a | (b << 8) | (c << 16) | (d << 24);
}

/** The next 0 to 64 bits; those above are 0. */
// @ts-ignore: decorator
@inline
export function read(stream: usize, position: usize, count: u32): u64 {
  const low = peek(stream, position) & 0xffffffff;
  const all = low | (peek(stream, position + 32) << 32);
  return count == 64 ? all : all & ((<u64>1 << count) - 1);
}
