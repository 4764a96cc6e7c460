/** Whole numbers in as few bytes as they need, seven bits each, the lowest first: LEB128, as protocol buffers have them. */

/** Of 64 bits. */
export const MAX_VARINT_BYTES = 10;

interface Varint {
  readonly value: number;
  /** One past its last byte. */
  readonly end: number;
}

/** The varint at `start`, as unsigned, exact up to 2^53; undefined where the bytes end within it, and for one that is too long. */
export function readVarint(bytes: Uint8Array, start: number): Varint | undefined {
  let [value, scale] = [0, 1];
  for (let at = start; at < Math.min(bytes.length, start + MAX_VARINT_BYTES); at++) {
    const byte = bytes[at]!;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, end: at + 1 };
    scale *= 128;
  }
  return undefined;
}

/** Adds the bytes of a whole number from 0 to 2^53. */
export function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
}

export function varint(value: number): number[] {
  const bytes: number[] = [];
  pushVarint(bytes, value);
  return bytes;
}
