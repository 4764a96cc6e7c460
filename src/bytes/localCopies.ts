import { isShared, likeAligned } from './sharedMemory.js';

/**
 * Copies of all pieces, one after another in one array, each with its alignment.
 * @param take gives memory of `byteLength` bytes
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

/** Tasks of a thread run one after another, and reuse it. */
let memory = new Uint8Array(0);

/**
 * The inputs of a task in memory of its own thread, because decoders read from any address, and V8 copies from shared
 * memory byte by byte unless both sides have the same alignment. Valid until the next call.
 */
export function localCopies(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  if (!pieces.some(({ buffer }) => isShared(buffer))) return pieces;
  return copyAll(pieces, (size) => {
    if (memory.length < size) memory = new Uint8Array(size);
    return memory;
  });
}
