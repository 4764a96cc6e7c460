/** Bytes that pass between threads: shared, transferred, or copied fast. */

/** The output of a task in another thread, and those of its buffers that are transferred in place of copied. */
export interface TaskResult<O> {
  readonly output: O;
  readonly transfer: ArrayBufferLike[];
}

/** Whether other threads can see this memory without a transfer. */
export function isShared(buffer: ArrayBufferLike): buffer is SharedArrayBuffer {
  // Of another realm, too.
  return Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]';
}

/** Of smaller arrays little stays, and a channel takes longer than to decode what is in one of them. */
const LEAST_FREED = 2 ** 16;

/**
 * Frees memory that nothing uses any more: garbage stays until more is made, in threads without work for ever. Views of it are empty
 * then. It is sent to nobody, because in browsers an object beside the buffer holds memory that came from another thread, also after
 * `ArrayBuffer.transfer`, but not when it goes on to another one.
 */
export function free(buffers: Iterable<ArrayBufferLike>): void {
  // Two views of one buffer may both be given, and what is free already cannot be sent.
  const sent = [...new Set(buffers)].filter(
    (buffer) => buffer.byteLength >= LEAST_FREED && !isShared(buffer),
  );
  if (sent.length === 0) return;
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.postMessage(undefined, sent as ArrayBuffer[]);
  port1.close();
}

/**
 * The first offset from `offset` on with the same alignment to 8 bytes as `bytes`, because to and from shared memory,
 * V8 copies byte by byte otherwise.
 */
export function likeAligned(offset: number, { byteOffset }: Uint8Array): number {
  return offset + ((byteOffset - offset) & 7);
}

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
