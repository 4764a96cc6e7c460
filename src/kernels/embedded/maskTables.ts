/** Bytes expanded and compressed by masks. The tables are made on first use. */

/** The lowest bits of the byte, at the positions of the bits set in the mask: at `mask << 8 | byte`. */
export const depositTable: () => Uint8Array = /* @__PURE__ */ maskTable((mask, byte) => {
  let result = 0;
  for (let rest = mask, bits = byte; rest !== 0; rest &= rest - 1, bits >>= 1) {
    if (bits & 1) result |= rest & -rest;
  }
  return result;
});

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
