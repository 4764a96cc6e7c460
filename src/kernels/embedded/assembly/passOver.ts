import { LATER_DENSE } from './contexts';

/** What a plane, and the signs behind it, make of the state of a tile; returns the weights that are significant in groups that are not dense. */
export function passOver(
  plane: usize,
  groups: u32,
  significant: usize,
  counts: usize,
  dense: usize,
  scales: usize,
  threshold: u32,
  leastScale: i32,
  denseShift: u32,
): u32 {
  let known: u32 = 0;
  for (let group: u32 = 0; group < groups; group++) {
    const state = <u32>load<u8>(dense + group);
    if (state != 0) {
      store<u8>(dense + group, min(state << denseShift, LATER_DENSE));
      continue;
    }
    const at = group << 3;
    const seen = load<u64>(significant + at) | load<u64>(plane + at);
    store<u64>(significant + at, seen);
    const count = <u32>popcnt(seen);
    store<u8>(counts + group, <u8>count);
    const becomes = count >= threshold || <i32>load<u8>(scales + group) >= leastScale;
    if (becomes) store<u8>(dense + group, 1);
    else known += count;
  }
  return known;
}
