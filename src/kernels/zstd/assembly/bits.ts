// Bit streams that are read backwards: from the highest set bit of the last byte (which marks the end and does not
// count) down to the first byte. `left` is how many bits are left; it becomes negative when too many were taken, and
// then what was read is meaningless, but was read from the 32 bytes before the stream at the most.

/** Bits of the stream, or −1 when its last byte has no mark. */
export function streamBits(start: usize, end: usize): i32 {
  if (end <= start) return -1;
  const last: u32 = load<u8>(end - 1);
  if (last == 0) return -1;
  return ((end - start - 1) as i32) * 8 + 31 - (clz<u32>(last) as i32);
}

/** The next 57 bits or more, the first one in the highest place. */
// @ts-ignore: decorator
@inline
export function ahead(start: usize, left: i32): u64 {
  const bit = left - 1;
  return load<u64>(start + ((bit >> 3) as usize) - 7) << ((7 - (bit & 7)) as u64);
}

/** The first `count` of them. */
// @ts-ignore: decorator
@inline
export function first(bits: u64, count: u32): u32 {
  // In two steps: a shift by 64 would be a shift by 0.
  return ((bits >> 1) >> (63 - (count as u64))) as u32;
}
