import { copyAll } from './copyAll.js';
import { isShared } from './sharedMemory.js';

/** Of this thread: used again by every task, for they run one after the other. */
let memory = new Uint8Array(0);

/**
 * What a task reads, in memory of its own thread: from shared memory, V8 copies byte by byte unless both sides lie alike
 * to multiples of 8, and decoders load from anywhere. Good until the next call.
 */
export function localCopies(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  if (!pieces.some(({ buffer }) => isShared(buffer))) return pieces;
  return copyAll(pieces, (size) => {
    if (memory.length < size) memory = new Uint8Array(size);
    return memory;
  });
}
