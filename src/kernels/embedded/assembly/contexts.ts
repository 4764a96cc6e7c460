// Contexts of groups: `../contexts.ts` says what they are.

/** How they are found, as the caller lays it out: bytes, for each count, the same for dense groups, twice, then for each scale. */
export const COUNTS: u32 = 65;
export const SCALES: usize = 256;

/** In place of when a group became dense: its planes are stored as they are. Before the first since the signs it is 1, before the second, if that is coded, 2. */
export const LATER_DENSE: u32 = 4;

/** The context of a group that is not stored as it is; of one that is, any number. */
// @ts-ignore: decorator
@inline
export function contextOf(rule: usize, count: u32, dense: u32, scale: u32): u32 {
  return <u32>load<u8>(rule + (count + dense * COUNTS)) + <u32>load<u8>(rule + scale, SCALES);
}
