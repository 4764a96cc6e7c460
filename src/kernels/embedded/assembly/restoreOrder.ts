// Weights of a part of a row, sorted by their columns, to their places: `columns` are u32, `out` is where column 0 is.

export function restoreLong(sorted: usize, columns: usize, count: u32, out: usize): void {
  const end = columns + (<usize>count << 2);
  for (; columns < end; columns += 4, sorted += 4) store<u32>(out + (<usize>load<u32>(columns) << 2), load<u32>(sorted));
}

/** Four at a time, because the loop would take longer than its work. */
export function restoreShort(sorted: usize, columns: usize, count: u32, out: usize): void {
  const end = columns + (<usize>count << 2);
  for (; columns + 12 < end; columns += 16, sorted += 8) {
    store<u16>(out + (<usize>load<u32>(columns) << 1), load<u16>(sorted));
    store<u16>(out + (<usize>load<u32>(columns, 4) << 1), load<u16>(sorted, 2));
    store<u16>(out + (<usize>load<u32>(columns, 8) << 1), load<u16>(sorted, 4));
    store<u16>(out + (<usize>load<u32>(columns, 12) << 1), load<u16>(sorted, 6));
  }
  for (; columns < end; columns += 4, sorted += 2) store<u16>(out + (<usize>load<u32>(columns) << 1), load<u16>(sorted));
}
