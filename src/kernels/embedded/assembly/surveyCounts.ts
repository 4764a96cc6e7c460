// Counts that surveys add to.

/** Bytes of 256 of them. There are four such tables, so that additions for neighbours do not wait for each other. */
export const TABLE_BYTES: usize = 1024;
/** In the counts of subnormal numbers. */
export const ZEROS: usize = 92;

// @ts-ignore: decorator
@inline
export function increment(counts: usize, index: u32): void {
  add(counts, index, 1);
}

// @ts-ignore: decorator
@inline
export function add(counts: usize, index: u32, count: u32): void {
  const at = counts + (<usize>index << 2);
  store<u32>(at, load<u32>(at) + count);
}
