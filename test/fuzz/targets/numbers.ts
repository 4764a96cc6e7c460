/** Numbers at places where there may be none: missing bytes are 0. */

export function readU16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8);
}

export function readU32(bytes: Uint8Array, offset: number): number {
  return readU16(bytes, offset) + 0x10000 * readU16(bytes, offset + 2);
}

export function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

/** Writes the lowest bytes of a number, as far as there is room. */
export function write(bytes: Uint8Array, offset: number, size: number, value: number | bigint): void {
  let rest = BigInt(value);
  for (let i = offset; i < offset + size && i < bytes.length; i++, rest >>= 8n)
    bytes[i] = Number(rest & 0xffn);
}
