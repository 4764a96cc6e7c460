// Lists of what is to be written to a bit stream: u64, the value in the low 56 bits, the number of bits above.

// @ts-ignore: decorator
@inline
export function entry(value: u64, bits: u64): u64 {
  return value | (bits << LENGTH_PLACE);
}

const LENGTH_PLACE: u64 = 56;
const VALUE: u64 = 0xffffffffffffff;

/**
 * Writes a list of entries to a stream, from bit `position` on; returns the bit behind it. There must be room for eight
 * bytes more.
 */
export function pack(list: usize, end: usize, stream: usize, position: usize): usize {
  let out = stream + (position >> 3);
  let bits = <u64>(position & 7);
  let pending = <u64>load<u8>(out) & ((<u64>1 << bits) - 1);
  for (; list < end; list += 8) {
    const next = load<u64>(list);
    pending |= (next & VALUE) << bits;
    bits += next >> LENGTH_PLACE;
    store<u64>(out, pending);
    out += <usize>(bits >> 3);
    pending >>= bits & 56;
    bits &= 7;
  }
  return ((out - stream) << 3) + <usize>bits;
}

/**
 * Writes the bits of groups in a list of u32 to a stream, from bit `position` on: of each group's `values` those set in its mask,
 * the lowest first. Returns the bit behind them. `extracts` is the table of what each mask (high byte of the index) takes of each
 * eight bits.
 */
export function extract(
  values: usize,
  list: usize,
  end: usize,
  masks: usize,
  extracts: usize,
  stream: usize,
  position: usize,
): usize {
  let out = stream + (position >> 3);
  let bits = <u64>(position & 7);
  let pending = <u64>load<u8>(out) & ((<u64>1 << bits) - 1);
  for (; list < end; list += 4, masks += 8) {
    let value = load<u64>(values + (<usize>load<u32>(list) << 3));
    let mask = load<u64>(masks);
    for (let half: u32 = 0; half < 2; half++, value >>= 32, mask >>= 32) {
      pending |= extractHalf(<u32>value, <u32>mask, extracts) << bits;
      bits += <u64>popcnt(<u32>mask);
      store<u64>(out, pending);
      out += <usize>(bits >> 3);
      pending >>= bits & 56;
      bits &= 7;
    }
  }
  store<u8>(out, <u8>pending);
  return ((out - stream) << 3) + <usize>bits;
}

// @ts-ignore: decorator
@inline
export function extractHalf(values: u32, places: u32, extracts: usize): u64 {
  const a = <u64>load<u8>(extracts + (((places & 0xff) << 8) | (values & 0xff)));
  const b = <u64>load<u8>(extracts + ((places & 0xff00) | ((values >> 8) & 0xff)));
  const c = <u64>load<u8>(extracts + (((places >> 8) & 0xff00) | ((values >> 16) & 0xff)));
  const d = <u64>load<u8>(extracts + (((places >> 16) & 0xff00) | (values >> 24)));
  return (
    a | (b << popcnt(<u64>(places & 0xff))) | (c << popcnt(<u64>(places & 0xffff))) |
    (d << popcnt(<u64>(places & 0xffffff)))
  );
}
