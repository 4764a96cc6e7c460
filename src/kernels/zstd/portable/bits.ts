import { corrupt } from '../corrupt.js';

/** Reading backwards touches at most this many bytes before a stream, and 3 after it. */
const FRONT = 16;
const BACK = 4;

/** The bytes of a frame, with room around it for reads past its ends. */
export interface Input {
  readonly bytes: Uint8Array;
  /** The same, FRONT bytes later. */
  readonly view: DataView;
}

export function inputOf(frame: Uint8Array): Input {
  const padded = new Uint8Array(FRONT + frame.length + BACK);
  padded.set(frame, FRONT);
  return { bytes: padded.subarray(FRONT, FRONT + frame.length), view: new DataView(padded.buffer) };
}

/**
 * A bit stream that is read backwards: from the highest set bit of its last byte (which marks the end and does not
 * count) down to the first byte. Positions are numbers of remaining bits; a negative one means that too many
 * were read, and readers check for it before they use the values.
 *
 * @returns how many bits the stream has
 * @throws CodecError when the mark is missing
 */
export function streamBits(data: Uint8Array, start: number, end: number): number {
  const last = end > start ? data[end - 1]! : 0;
  if (last === 0) throw corrupt('a bit stream has no end mark', end - 1);
  return 8 * (end - start) - 1 - (Math.clz32(last) - 24);
}

/** The `count` bits, at most 25, that end `left` bits after the start of the stream. */
export function readBits(view: DataView, start: number, left: number, count: number): number {
  const first = left - count;
  return (view.getInt32(FRONT + start + (first >> 3), true) >>> (first & 7)) & ((1 << count) - 1);
}

/** The same for at most 31 bits. */
export function readManyBits(view: DataView, start: number, left: number, count: number): number {
  if (count <= 25) return readBits(view, start, left, count);
  const low = count - 16;
  return readBits(view, start, left, 16) * 2 ** low + readBits(view, start, left - 16, low);
}

/** The 32 bits that end in the byte of the next bit, which is the highest; at least 25 of them are valid. */
export function nextWord(view: DataView, start: number, left: number): number {
  return view.getInt32(FRONT + start + ((left - 1) >> 3) - 3, true) << (-left & 7);
}
