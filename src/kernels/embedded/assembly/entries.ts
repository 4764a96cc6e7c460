// Lists of what is to be written to a bit stream: u32, the value in the low 24 bits, the number of bits above, at most
// 24; or u64, with 56.

// @ts-ignore: decorator
@inline
export function entry(value: u32, bits: u32): u32 {
  return value | (bits << 24);
}

/**
 * Writes a list of entries T to a stream, from bit `position` on; returns the bit behind it. There must be room for eight
 * bytes more.
 */
export function pack<T>(list: usize, end: usize, stream: usize, position: usize): usize {
  const lengthPlace: u64 = 8 * sizeof<T>() - 8;
  const value = (<u64>1 << lengthPlace) - 1;
  let out = stream + (position >> 3);
  let bits = <u64>(position & 7);
  let pending = <u64>load<u8>(out) & ((<u64>1 << bits) - 1);
  for (; list < end; list += sizeof<T>()) {
    const next = <u64>load<T>(list);
    pending |= (next & value) << bits;
    bits += next >> lengthPlace;
    store<u64>(out, pending);
    out += <usize>(bits >> 3);
    pending >>= bits & 56;
    bits &= 7;
  }
  return ((out - stream) << 3) + <usize>bits;
}

/**
 * The bits of a group's `values` at the places set in `places`, lowest first; returns the end of the list. `extracts` is
 * the table of what each mask (high byte of the index) takes of each eight bits.
 */
export function extractGroup(values: u64, places: u64, extracts: usize, list: usize): usize {
  const low = extractHalf(<u32>values, <u32>places, extracts);
  const high = extractHalf(<u32>(values >> 32), <u32>(places >> 32), extracts);
  const half = <u32>popcnt(<u32>places);
  const bits = low | (high << half);
  const count = <u32>popcnt(places);
  store<u32>(list, entry(<u32>(bits & 0xffffff), min(count, 24)));
  if (count <= 24) return list + 4;
  store<u32>(list, entry(<u32>((bits >> 24) & 0xffffff), min(count - 24, 24)), 4);
  if (count <= 48) return list + 8;
  store<u32>(list, entry(<u32>(bits >> 48), count - 48), 8);
  return list + 12;
}

// @ts-ignore: decorator
@inline
function extractHalf(values: u32, places: u32, extracts: usize): u64 {
  const a = <u64>load<u8>(extracts + (((places & 0xff) << 8) | (values & 0xff)));
  const b = <u64>load<u8>(extracts + ((places & 0xff00) | ((values >> 8) & 0xff)));
  const c = <u64>load<u8>(extracts + (((places >> 8) & 0xff00) | ((values >> 16) & 0xff)));
  const d = <u64>load<u8>(extracts + (((places >> 16) & 0xff00) | (values >> 24)));
  return (
    a | (b << popcnt(<u64>(places & 0xff))) | (c << popcnt(<u64>(places & 0xffff))) |
    (d << popcnt(<u64>(places & 0xffffff)))
  );
}
