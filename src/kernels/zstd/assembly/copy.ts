// Copies that may overshoot by less than 64 bytes, within what the caller leaves behind its buffers.

/** Copies forwards 16 bytes at a time; `from` is before `to` by 16 or more, or elsewhere. */
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
  for (let i: usize = 32; i < count; i += 16) v128.store(to + i, v128.load(from + i));
}

/** Repeats the `period` bytes before `to`, 1 to 15 of them. */
export function repeatBytes(to: usize, count: usize, period: usize): void {
  const end = to + count;
  const from = to - period;
  // Bytes until two repetitions or more fill 16, then vectors that begin a whole number of periods before.
  let distance = period;
  while (distance < 16) distance += period;
  const near = min(to + distance, end);
  for (let i: usize = 0; to < near; i++, to++) store<u8>(to, load<u8>(from + i));
  for (; to < end; to += 16) v128.store(to, v128.load(to - distance));
}
