import { isShared } from '../src/bytes/sharedMemory.js';
import type { Buffers } from './buffers.js';
import type { Prepared } from './job.js';

/** Bytes that several tasks read: where memory is shared, those that are under way together have one copy. */
export class CommonInput {
  readonly #bytes: Uint8Array;
  #copy: Uint8Array | undefined;
  #users = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** For one task, and what the pool must know about it. */
  take(buffers: Buffers): { bytes: Uint8Array } & Pick<Prepared<unknown>, 'borrowed' | 'done'> {
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
