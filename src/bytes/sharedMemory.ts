/** Memory that other threads see without getting it. */
export function isShared(buffer: ArrayBufferLike): buffer is SharedArrayBuffer {
  return typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer;
}

/**
 * The first place from `offset` on that lies to multiples of 8 as `bytes` do: to and from shared memory, V8 copies
 * others byte by byte.
 */
export function likeAligned(offset: number, { byteOffset }: Uint8Array): number {
  return offset + ((byteOffset - offset) & 7);
}
