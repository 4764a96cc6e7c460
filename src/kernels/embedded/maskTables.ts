import { POPULATION } from './prefixCodes.js';

/** Bytes expanded and compressed by masks. The tables are made on first use. */

/** The lowest bits of the byte, at the positions of the bits set in the mask: at `mask << 8 | byte`. */
export const depositTable: () => Uint8Array = /* @__PURE__ */ maskTable((mask, byte) => {
  let result = 0;
  for (let rest = mask, bits = byte; rest !== 0; rest &= rest - 1, bits >>= 1) {
    if (bits & 1) result |= rest & -rest;
  }
  return result;
});

let rows: Uint8Array | undefined;

/**
 * The same in an eighth of the bytes, for a small cache: of each mask, only bytes with as many bits as it has. For each of
 * them a u32, where its row is << 8 | these bits; then the rows.
 */
export function depositRows(): Uint8Array {
  if (rows === undefined) {
    const places = new Uint32Array(256);
    rows = new Uint8Array(places.byteLength + 3 ** 8);
    let end = places.byteLength;
    for (let mask = 0; mask < 256; mask++) {
      const size = 2 ** POPULATION[mask]!;
      places[mask] = (end << 8) | (size - 1);
      rows.set(depositTable().subarray(mask << 8, (mask << 8) + size), end);
      end += size;
    }
    rows.set(new Uint8Array(places.buffer));
  }
  return rows;
}

/** The inverse: the bits at the positions set in the mask, lowest first; at the same index. */
export const extractTable: () => Uint8Array = /* @__PURE__ */ maskTable((mask, byte) => {
  let result = 0;
  for (let rest = mask, place = 1; rest !== 0; rest &= rest - 1, place <<= 1) {
    if (byte & rest & -rest) result |= place;
  }
  return result;
});

function maskTable(rule: (mask: number, byte: number) => number): () => Uint8Array {
  let table: Uint8Array | undefined;
  return () => {
    if (table === undefined) {
      table = new Uint8Array(1 << 16);
      for (let index = 0; index < table.length; index++) table[index] = rule(index >> 8, index & 0xff);
    }
    return table;
  };
}
