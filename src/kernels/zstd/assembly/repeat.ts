// Matches that repeat what they write. They may overshoot by less than 16 bytes, within what the caller leaves behind its
// buffers.

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
