import { corrupt } from './corrupt.js';

/**
 * A bit stream that is read backwards: from the highest set bit of its last byte (which marks the end and does not
 * count) down to the first byte. Positions are numbers of bits that are left; a negative one means that too many
 * were taken, and whoever reads looks for that before it believes what it read.
 *
 * @returns how many bits the stream has
 * @throws CodecError when the mark is missing
 */
export function streamBits(data: Uint8Array, start: number, end: number): number {
  const last = end > start ? data[end - 1]! : 0;
  if (last === 0) throw corrupt('bit stream without an end mark', end - 1);
  return 8 * (end - start) - 1 - (Math.clz32(last) - 24);
}

/** The `count` bits, at most 25, that end `left` bits after the start of the stream. */
export function readBits(data: Uint8Array, start: number, left: number, count: number): number {
  const first = left - count;
  const at = start + (first >> 3);
  const word = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
  return (word >>> (first & 7)) & ((1 << count) - 1);
}

/** The same for at most 31 bits. */
export function readManyBits(data: Uint8Array, start: number, left: number, count: number): number {
  if (count <= 25) return readBits(data, start, left, count);
  const low = count - 16;
  return readBits(data, start, left, 16) * 2 ** low + readBits(data, start, left - 16, low);
}
