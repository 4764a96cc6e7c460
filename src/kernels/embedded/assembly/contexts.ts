// Contexts of groups: `../contexts.ts` says what they are.

/** How they are found, as the caller lays it out: u32, then a table of 65 bytes, the kind for each count. */
const FIRST_DENSE: usize = 0;
const STRIDE: usize = 4;
const OFFSET: usize = 8;
const LAST_RATIO: usize = 12;
const KINDS: usize = 16;

/** The context of a group that is not stored as it is. */
// @ts-ignore: decorator
@inline
export function contextOf(rule: usize, count: u32, dense: u32, scale: u32): u32 {
  const ratio = min(max(<i32>scale - load<i32>(rule, OFFSET), 0), load<i32>(rule, LAST_RATIO));
  const kind = dense != 0 ? load<u32>(rule, FIRST_DENSE) : <u32>load<u8>(rule + count, KINDS);
  return kind + <u32>ratio * load<u32>(rule, STRIDE);
}
