import type { RowPart } from '../interface.js';

export function restoreOrder(
  parts: readonly RowPart[],
  sorted: Uint16Array | Uint32Array,
  out: Uint16Array | Uint32Array,
): void {
  let place = 0;
  for (const { first, columns } of parts) {
    for (let i = 0; i < columns.length; i++) out[first + columns[i]!] = sorted[place + i]!;
    place += columns.length;
  }
}
