import type { Range } from '../../src/bytes/ranges.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import type { OnSourceEvent } from '../events.js';
import { openEntry, sealEntry, type Xxh3 } from './entry.js';
import { Extents } from './extents.js';
import type { CacheStore } from './store.js';

/** Default cap: 1 GiB, a few models of the size that browsers load. */
const DEFAULT_MAX_SIZE = 2 ** 30;

/** Names of entries: hash of the file's version, first byte, one past the last. Other names are ignored. */
const NAME = /^([0-9a-f]{16})-(\d{1,16})-(\d{1,16})$/;

export interface CacheOptions {
  /** Most bytes to keep; beyond that the least recently used entries are deleted. Default 1 GiB. */
  readonly maxSize?: number | undefined;
  readonly onEvent?: OnSourceEvent | undefined;
}

/** Parts of files in a {@link CacheStore}, verified whenever they are read. One cache can serve many sources. */
export interface Cache {
  /** The cached parts of the file with this version. */
  extents(version: string): Promise<Extents>;
  /** The bytes of one part; undefined when they are missing or damaged. */
  get(version: string, range: Range): Promise<Uint8Array | undefined>;
  /** Stores these bytes if possible; never fails. */
  put(version: string, range: Range, bytes: Uint8Array): Promise<void>;
}

/**
 * A cache over a store. Several processes or tabs may use the same store at the same time: an entry is whole or
 * recognised as broken, and an entry that another process has deleted is fetched again.
 *
 * @example
 * const cache = openCache(await folderStore('cache'), { maxSize: 10e9 });
 * const source = withCache(httpSource('https://example.org/model/model.safetensors'), cache);
 */
export function openCache(store: CacheStore, options: CacheOptions = {}): Cache {
  return new StoreCache(store, options);
}

class StoreCache implements Cache {
  readonly #store: CacheStore;
  readonly #maxSize: number;
  readonly #onEvent: OnSourceEvent;
  /** Entries and their sizes, the least recently used first. */
  readonly #sizes = new Map<string, number>();
  readonly #files = new Map<string, Extents>();
  #total = 0;
  #writable = true;
  #loading: Promise<Xxh3> | undefined;

  constructor(store: CacheStore, { maxSize = DEFAULT_MAX_SIZE, onEvent = () => {} }: CacheOptions) {
    this.#store = store;
    this.#maxSize = maxSize;
    this.#onEvent = onEvent;
  }

  async extents(version: string): Promise<Extents> {
    return this.#extentsOf(hashOf(version, await this.#load()));
  }

  async get(version: string, range: Range): Promise<Uint8Array | undefined> {
    const xxh3 = await this.#load();
    const name = nameOf(hashOf(version, xxh3), range);
    try {
      const sealed = await this.#store.read(name);
      const bytes = sealed && openEntry(keyOf(version, range), sealed, xxh3);
      if (bytes !== undefined && bytes.length === range.end - range.start) {
        this.#remember(name, sealed!.length);
        return bytes;
      }
      if (sealed !== undefined) this.#onEvent({ type: 'cache-drop', name });
    } catch (error) {
      this.#onEvent({ type: 'cache-failure', error });
    }
    await this.#delete(name);
    return undefined;
  }

  async put(version: string, range: Range, bytes: Uint8Array): Promise<void> {
    const xxh3 = await this.#load();
    const hash = hashOf(version, xxh3);
    const name = nameOf(hash, range);
    const sealed = sealEntry(keyOf(version, range), bytes, xxh3);
    if (!this.#writable || sealed.length > this.#maxSize) return;
    for (const oldest of this.#sizes.keys()) {
      if (this.#total + sealed.length <= this.#maxSize) break;
      await this.#delete(oldest);
      this.#onEvent({ type: 'cache-evict', name: oldest });
    }
    try {
      await this.#store.write(name, sealed);
      if (!this.#sizes.has(name)) this.#extentsOf(hash).add(range);
      this.#remember(name, sealed.length);
    } catch (error) {
      // A full disk or quota stays full: continue without writing, and do not try again for every part.
      this.#writable = false;
      this.#onEvent({ type: 'cache-failure', error });
    }
  }

  /** Lists the store once; a store that cannot be listed counts as empty. */
  #load(): Promise<Xxh3> {
    this.#loading ??= this.#list().then(async () => (await loadKernels(['xxh3'])).xxh3);
    return this.#loading;
  }

  async #list(): Promise<void> {
    try {
      const entries = await this.#store.list();
      for (const { name, size } of entries.sort((a, b) => a.used - b.used)) {
        const match = NAME.exec(name);
        if (match === null) continue;
        this.#remember(name, size);
        this.#extentsOf(match[1]!).add({ start: Number(match[2]), end: Number(match[3]) });
      }
    } catch (error) {
      this.#onEvent({ type: 'cache-failure', error });
    }
  }

  #extentsOf(hash: string): Extents {
    let extents = this.#files.get(hash);
    if (extents === undefined) {
      extents = new Extents();
      this.#files.set(hash, extents);
    }
    return extents;
  }

  /** Makes an entry the most recently used. */
  #remember(name: string, size: number): void {
    this.#total += size - (this.#sizes.get(name) ?? 0);
    this.#sizes.delete(name);
    this.#sizes.set(name, size);
  }

  async #delete(name: string): Promise<void> {
    this.#total -= this.#sizes.get(name) ?? 0;
    this.#sizes.delete(name);
    const match = NAME.exec(name)!;
    this.#extentsOf(match[1]!).delete({ start: Number(match[2]), end: Number(match[3]) });
    try {
      await this.#store.delete(name);
    } catch (error) {
      this.#onEvent({ type: 'cache-failure', error });
    }
  }
}

function hashOf(version: string, xxh3: Xxh3): string {
  return xxh3(new TextEncoder().encode(version)).toString(16).padStart(16, '0');
}

function nameOf(hash: string, { start, end }: Range): string {
  return `${hash}-${start}-${end}`;
}

function keyOf(version: string, { start, end }: Range): string {
  return `${version}\n${start}-${end}`;
}
