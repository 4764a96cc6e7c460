// Lists of what is to be written to a bit stream: u32, the value in the low 24 bits, the number of bits above.

// @ts-ignore: decorator
@inline
export function entry(value: u32, bits: u32): u32 {
  return value | (bits << 24);
}

/** Writes a list; returns the bytes it took. There must be room for seven more. */
export function pack(list: usize, end: usize, out: usize): usize {
  const start = out;
  let pending: u64 = 0;
  let bits: u64 = 0;
  for (; list < end; list += 4) {
    const next = load<u32>(list);
    pending |= (<u64>(next & 0xffffff)) << bits;
    bits += next >> 24;
    store<u64>(out, pending);
    out += <usize>(bits >> 3);
    pending >>= bits & 56;
    bits &= 7;
  }
  return out + <usize>(bits > 0) - start;
}

/** Collects the bits of `value` at the places of the bits set in `mask`, lowest first: a byte, or less. */
// @ts-ignore: decorator
@inline
function extract(value: u32, mask: u32): u32 {
  let result: u32 = 0;
  let place: u32 = 1;
  for (; mask != 0; mask &= mask - 1, place <<= 1) {
    if (value & mask & (0 - mask)) result |= place;
  }
  return result;
}

/** The bits of a group's `values` at the places set in `places`; returns the end of the list. */
export function extractGroup(values: u64, places: u64, list: usize): usize {
  for (; places != 0; places >>= 8, values >>= 8) {
    const mask = <u32>(places & 0xff);
    if (mask == 0) continue;
    store<u32>(list, entry(extract(<u32>(values & 0xff), mask), popcnt(mask)));
    list += 4;
  }
  return list;
}
