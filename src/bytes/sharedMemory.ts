/** Bytes on their way between threads: shared, transferred, or copied so that the copy is fast. */

/** What a task for another thread gives back, and which of its buffers go there rather than being copied. */
export interface TaskResult<O> {
  readonly output: O;
  readonly transfer: ArrayBufferLike[];
}

/** Memory that other threads see without getting it. */
export function isShared(buffer: ArrayBufferLike): buffer is SharedArrayBuffer {
  return typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer;
}

/**
 * The first place from `offset` on that is aligned to 8 bytes as `bytes` are: to and from shared memory, V8 copies
 * others byte by byte.
 */
export function likeAligned(offset: number, { byteOffset }: Uint8Array): number {
  return offset + ((byteOffset - offset) & 7);
}

/**
 * Copies of all pieces, one after another, each aligned as it was.
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

/** Of this thread: every task uses it again, because they run one after another. */
let memory = new Uint8Array(0);

/**
 * What a task reads, in memory of its own thread: V8 copies from shared memory byte by byte unless both sides are
 * aligned alike, and decoders load from anywhere. Valid until the next call.
 */
export function localCopies(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  if (!pieces.some(({ buffer }) => isShared(buffer))) return pieces;
  return copyAll(pieces, (size) => {
    if (memory.length < size) memory = new Uint8Array(size);
    return memory;
  });
}
