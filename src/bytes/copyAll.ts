import { likeAligned } from './sharedMemory.js';

/**
 * Copies of all, one behind the other, each aligned as it was.
 * @param take gives memory for so many bytes
 */
export function copyAll(
  pieces: readonly Uint8Array[],
  take: (byteLength: number) => Uint8Array,
): Uint8Array[] {
  let size = 0;
  const offsets = pieces.map((piece) => {
    const offset = likeAligned(size, piece);
    size = offset + piece.length;
    return offset;
  });
  const whole = take(size);
  return pieces.map((piece, i) => {
    const copy = whole.subarray(offsets[i]!, offsets[i]! + piece.length);
    copy.set(piece);
    return copy;
  });
}
