import { isShared, likeAligned } from '../src/bytes/sharedMemory.js';
import { allocating } from '../src/checks/limits.js';

/** Sizes are rounded up to this, so that a buffer serves inputs of nearly the same size. */
const GRAIN = 2 ** 16;

/** A buffer serves requests for at least this share of it. */
const MIN_USE = 0.5;

/**
 * Reusable memory for inputs and outputs of workers. A new buffer per task costs more than its content: the
 * system must map and clear its pages, and V8 collects garbage every 64 MiB, on cores that the workers need. The memory
 * is shared if the engine allows it, because V8 counts transferred memory as new each time.
 */
export class Buffers {
  readonly #most: number;
  #free: ArrayBufferLike[] = [];

  /** @param most how many to keep for later */
  constructor(most: number) {
    this.#most = most;
  }

  /** Bytes to write to, not zeroed, at the beginning of a buffer that is the caller's until `give`. */
  take(byteLength: number): Uint8Array {
    // The buffer that came back last is still in the caches.
    const fits = this.#free.findLastIndex(
      (buffer) => buffer.byteLength >= byteLength && byteLength >= MIN_USE * buffer.byteLength,
    );
    const buffer =
      fits < 0 ? newBuffer(Math.ceil(byteLength / GRAIN) * GRAIN) : this.#free.splice(fits, 1)[0]!;
    return new Uint8Array(buffer, 0, byteLength);
  }

  /** Bytes that a worker can read: shared memory itself, or a copy. */
  copy(bytes: Uint8Array): Uint8Array {
    if (isShared(bytes.buffer)) return bytes;
    const offset = likeAligned(0, bytes);
    const copy = this.take(offset + bytes.length).subarray(offset);
    copy.set(bytes);
    return copy;
  }

  /** Takes back buffers that are no longer in use. */
  give(buffers: readonly ArrayBufferLike[]): void {
    for (const buffer of buffers) this.#free.push(buffer);
    this.#free.splice(0, this.#free.length - this.#most);
  }

  clear(): void {
    this.#free = [];
  }
}

/** Memory that workers see, where the engine allows it. */
export function newBuffer(byteLength: number): ArrayBufferLike {
  // Browsers allow shared memory only in cross-origin isolated pages; other engines have no such switch.
  const allowed = typeof SharedArrayBuffer !== 'undefined' && globalThis.crossOriginIsolated !== false;
  return allocating(() => (allowed ? new SharedArrayBuffer(byteLength) : new ArrayBuffer(byteLength)));
}

/** The buffers that must be transferred to reach another thread. */
export function unshared(buffers: readonly ArrayBufferLike[]): ArrayBuffer[] {
  return buffers.filter((buffer): buffer is ArrayBuffer => !isShared(buffer));
}

/** See `Prepared`. */
interface BorrowedInput {
  readonly bytes: Uint8Array;
  readonly borrowed?: readonly ArrayBufferLike[];
  readonly done?: () => void;
}

/** Bytes that several tasks read. Where memory is shared, tasks that run at the same time share one copy. */
export class CommonInput {
  readonly #bytes: Uint8Array;
  #copy: Uint8Array | undefined;
  #users = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The bytes for one task, and what the pool must know about them. */
  take(buffers: Buffers): BorrowedInput {
    const bytes = this.#copy ?? buffers.copy(this.#bytes);
    if (bytes === this.#bytes) return { bytes };
    if (!isShared(bytes.buffer)) return { bytes, borrowed: [bytes.buffer] };
    this.#copy = bytes;
    this.#users += 1;
    const done = () => {
      this.#users -= 1;
      if (this.#users > 0) return;
      this.#copy = undefined;
      buffers.give([bytes.buffer]);
    };
    return { bytes, done };
  }
}
