/** Bytes that pass between threads: shared, transferred, or freed. */

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

/** Memory of chunks that an engine has made for a reader of ours, which copies and frees it. */
export const ownMemory: WeakSet<ArrayBufferLike> = new WeakSet();

/**
 * The first offset from `offset` on with the same alignment to 8 bytes as `bytes`, because to and from shared memory,
 * V8 copies byte by byte otherwise.
 */
export function likeAligned(offset: number, { byteOffset }: Uint8Array): number {
  return offset + ((byteOffset - offset) & 7);
}
