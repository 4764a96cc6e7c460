// Copies of 16 bytes at a time, which may overshoot by less than what the caller leaves behind each buffer: for LZ4 and
// Zstandard.

/** From this length on, memory.copy is faster than a loop. */
const WIDE: usize = 512;

/** Copies forwards; `from` is before `to` by 16 or more, or elsewhere. */
// @ts-ignore: decorator
@inline
export function copy(to: usize, from: usize, count: usize): void {
  v128.store(to, v128.load(from));
  if (count <= 16) return;
  v128.store(to, v128.load(from, 16), 16);
  if (count <= 32) return;
  copyMore(to, from, count);
}

function copyMore(to: usize, from: usize, count: usize): void {
  // memory.copy does not repeat what it has just written.
  if (count >= WIDE && (to < from || to - from >= count)) {
    memory.copy(to, from, count);
    return;
  }
  for (let i: usize = 32; i < count; i += 16) v128.store(to + i, v128.load(from + i));
}
