import { allocating } from '../checks/limits.js';

/** Memory for arrays that are filled from the first byte to the last. */

/** The part of Node's `Buffer` that is used, which Bun and Deno have, too. */
interface BufferClass {
  allocUnsafeSlow?(length: number): { readonly buffer: ArrayBufferLike };
}

/** The engine has smaller memory at hand, and clearing it takes less than the call. */
const LARGE = 2 ** 16;

/**
 * Bytes that may hold anything, at the beginning of memory of their own, for callers that overwrite all of them before they hand
 * one of them out. Large memory that is cleared is mapped page by page, which takes longer than to fill it: of engines,
 * only Node and those like it have other memory.
 * @throws LimitError when the engine has no memory
 */
export function uncleared(length: number): Uint8Array {
  const { Buffer: buffers } = globalThis as { Buffer?: BufferClass | undefined };
  return allocating(() =>
    length < LARGE || buffers?.allocUnsafeSlow === undefined
      ? new Uint8Array(length)
      : new Uint8Array(buffers.allocUnsafeSlow(length).buffer),
  );
}

/**
 * These bytes, in an array that has room up to `end`, and may hold anything behind them. A longer one is made as long as is paid
 * for, and never longer than `length`, which is a claim.
 * @param most bytes that are paid for
 */
export function withRoom(bytes: Uint8Array, end: number, length: number, most: number): Uint8Array {
  if (end <= bytes.length) return bytes;
  const grown = uncleared(Math.min(length, Math.max(end, most)));
  grown.set(bytes);
  return grown;
}
