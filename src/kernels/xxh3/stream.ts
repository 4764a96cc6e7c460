import { viewOf } from '../../bytes/binary.js';
import { BLOCK, START, STRIPE, takeBlocks, takeRest } from './portable/long.js';
import { xxh3 } from './portable.js';

/** XXH3-64 with seed 0 of bytes that come one after another, and are never in memory together. */
export class Xxh3Stream {
  readonly #state = START.slice();
  /** The end of the last block, then what waits for more bytes: up to a block. */
  readonly #tail = new Uint8Array(STRIPE + BLOCK);
  #waiting = 0;
  #length = 0;

  update(bytes: Uint8Array): void {
    this.#length += bytes.length;
    // A block is taken when bytes follow it.
    let at = Math.min(bytes.length, BLOCK - this.#waiting);
    this.#keep(bytes.subarray(0, at));
    if (at === bytes.length) return;
    this.#take(this.#tail, STRIPE, 1);
    const blocks = Math.floor((bytes.length - at - 1) / BLOCK);
    if (blocks > 0) this.#take(bytes, at, blocks);
    at += blocks * BLOCK;
    this.#keep(bytes.subarray(at));
  }

  /** The hash of all bytes so far. */
  digest(): bigint {
    const end = STRIPE + this.#waiting;
    if (this.#length <= BLOCK) return xxh3(this.#tail.subarray(STRIPE, end));
    return takeRest(viewOf(this.#tail.subarray(0, end)), STRIPE, this.#length, this.#state);
  }

  #keep(bytes: Uint8Array): void {
    this.#tail.set(bytes, STRIPE + this.#waiting);
    this.#waiting += bytes.length;
  }

  #take(bytes: Uint8Array, start: number, blocks: number): void {
    takeBlocks(viewOf(bytes), start, blocks, this.#state);
    const end = start + blocks * BLOCK;
    this.#tail.set(bytes.subarray(end - STRIPE, end));
    this.#waiting = 0;
  }
}
