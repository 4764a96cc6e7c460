// Weights of a part of a row to the order of their tile: the inverse of `restoreOrder.ts`. `row` is where column 0 is.

export function sortLong(row: usize, columns: usize, count: u32, out: usize): void {
  const end = columns + (<usize>count << 2);
  for (; columns < end; columns += 4, out += 4) store<u32>(out, load<u32>(row + (<usize>load<u32>(columns) << 2)));
}

export function sortShort(row: usize, columns: usize, count: u32, out: usize): void {
  const end = columns + (<usize>count << 2);
  for (; columns < end; columns += 4, out += 2) store<u16>(out, load<u16>(row + (<usize>load<u32>(columns) << 1)));
}
