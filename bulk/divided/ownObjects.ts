import { formatHash } from '../../models/file/plan.js';
import { concatenate } from '../../src/bytes/binary.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import type { Window } from '../notes.js';
import { sha256 } from '../sha256.js';
import type { BulkStorage } from '../storage/storage.js';
import { unitObject } from '../unitFile.js';

/** Windows are read ahead by a join, several at a time. */
export const WINDOW_BYTES = 2 ** 23;

/** An object that has so many bytes is written, and the next one begun: fragments may be larger than all else of a unit. */
const OBJECT_BYTES = 2 ** 25;

/**
 * Writes what a tensor that is divided has beside its ranges, in objects of its own. The first one is number 0 of the unit's
 * objects; further ones follow those of the ranges. Memory: the bytes of one object.
 */
export class OwnObjects {
  readonly #storage: BulkStorage;
  readonly #facts: string;
  readonly #ranges: number;
  readonly #kernels: Pick<Kernels, 'xxh3'>;
  readonly #options: AbortOptions;
  readonly #keys: string[] = [];
  #pieces: Uint8Array[] = [];
  #size = 0;

  /** @param facts what the bytes depend on */
  constructor(
    storage: BulkStorage,
    facts: string,
    ranges: number,
    kernels: Pick<Kernels, 'xxh3'>,
    options: AbortOptions,
  ) {
    this.#storage = storage;
    this.#facts = facts;
    this.#ranges = ranges;
    this.#kernels = kernels;
    this.#options = options;
  }

  async add(bytes: Uint8Array): Promise<Window[]> {
    const number = this.#keys.length;
    const object = number === 0 ? 0 : this.#ranges + number;
    const windows: Window[] = [];
    for (let at = 0; at < bytes.length; at += WINDOW_BYTES) {
      const part = bytes.subarray(at, at + WINDOW_BYTES);
      const hash = formatHash(this.#kernels.xxh3(part));
      windows.push({ object, offset: this.#size + at, size: part.length, hash });
    }
    this.#pieces.push(bytes);
    this.#size += bytes.length;
    if (this.#size >= OBJECT_BYTES) await this.#write();
    return windows;
  }

  /** The keys of all, once they are written. */
  async finish(): Promise<readonly string[]> {
    if (this.#size > 0) await this.#write();
    return this.#keys;
  }

  async #write(): Promise<void> {
    const [first] = this.#pieces;
    const bytes = this.#pieces.length === 1 ? first! : concatenate(this.#pieces);
    this.#pieces = [];
    this.#size = 0;
    const key = sha256(JSON.stringify([this.#facts, this.#keys.length]));
    await this.#storage.create(unitObject(key), bytes, this.#options);
    this.#keys.push(key);
  }
}
