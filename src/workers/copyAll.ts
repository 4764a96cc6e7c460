import type { Buffers } from './buffers.js';

/** Copies of all in one of the buffers. */
export function copyAll(pieces: readonly Uint8Array[], buffers: Buffers): Uint8Array[] {
  const whole = buffers.take(pieces.reduce((bytes, { length }) => bytes + aligned(length), 0));
  let at = 0;
  return pieces.map((piece) => {
    const copy = whole.subarray(at, at + piece.length);
    copy.set(piece);
    at += aligned(piece.length);
    return copy;
  });
}

/** Where any typed array can begin. */
function aligned(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}
