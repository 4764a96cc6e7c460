import type { RowPart } from './interface.js';

type Elements = Uint16Array | Uint32Array | Float32Array;

/**
 * Lets `decode` write a tile's weights in its own order, and brings them into that of the tensor. Not for numbers that may
 * be NaNs, whose bits can change on the way.
 * @param parts undefined: both orders are the same
 */
export function inOrder<T extends Elements>(
  parts: readonly RowPart[] | undefined,
  out: T,
  decode: (sorted: T) => void,
): void {
  if (parts === undefined) {
    decode(out);
    return;
  }
  const sorted = out.slice() as T;
  decode(sorted);
  let place = 0;
  for (const { first, columns } of parts) {
    for (let i = 0; i < columns.length; i++) out[first + columns[i]!] = sorted[place + i]!;
    place += columns.length;
  }
}
