import type { Range } from '../../src/bytes/ranges.js';
import { check, checkOptions, having, number, type Rules } from '../../src/checks/options.js';
import { SinkError } from '../../src/errors.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import type { RandomAccessSource } from '../../src/source.js';
import { EVENT_RULES, type OnSourceEvent } from '../events.js';
import type { Cache, CachedFile, WithCacheOptions } from './contract.js';
import { openEntry, sealEntry, type Xxh3 } from './entry.js';
import type { Extents } from './extents.js';
import { KnownEntries } from './knownEntries.js';
import { type EntryName, hashOf, isEntryName, noteName, partName, partOf } from './names.js';
import type { CacheStore } from './store.js';
import { withCache } from './withCache.js';

/** Default cap: 1 GiB, a few models of the size that browsers load. */
const DEFAULT_MAX_SIZE = 2 ** 30;

/** Entries that a store may lose, before it has kept any, until it counts as one that keeps nothing. */
const MAX_LOST = 3;

/**
 * What a cache writes before it looks at its store again, as a share of the most bytes to keep: other processes write to
 * the same store.
 */
const UNSEEN_SHARE = 1 / 16;

/** How much {@link openCache} keeps, and what it reports. */
export interface CacheOptions {
  /**
   * Most bytes to keep; beyond that the least recently used entries are deleted. Default 1 GiB. Each further process or tab
   * that writes to the same store at the same time may exceed it by a sixteenth, or by one entry (at most 1 MiB).
   */
  readonly maxSize?: number | undefined;
  readonly onEvent?: OnSourceEvent | undefined;
}

const RULES: Rules<CacheOptions> = { ...EVENT_RULES, maxSize: /* @__PURE__ */ number() };
const STORE = /* @__PURE__ */ having<CacheStore>('list', 'a store, such as memoryStore()');

/**
 * A cache over a store. Several processes or tabs may use the same store at the same time: an entry is whole or
 * recognised as broken, an entry that another process has deleted is fetched again, and what others have stored is found
 * when this one has written a sixteenth of `maxSize`: it then looks at the store again, and holds all together to
 * `maxSize`.
 *
 * @example
 * const cache = openCache(await folderStore('cache'), { maxSize: 10e9 });
 * const source = withCache(httpSource('https://example.org/model/model.safetensors'), cache);
 */
export function openCache(store: CacheStore, options: CacheOptions = {}): Cache {
  check('store', store, STORE);
  return new StoreCache(store, checkOptions(options, RULES));
}

class StoreCache implements Cache {
  readonly #store: CacheStore;
  readonly #known = new KnownEntries();
  readonly #maxSize: number;
  readonly #onEvent: OnSourceEvent;
  /** Entries that are being written: they count, and are not deleted. */
  readonly #writing = new Set<string>();
  /** Bytes written since the last look at the store. */
  #unseen = 0;
  #writable = true;
  /** The store has given back what was written. */
  #proven = false;
  /** Entries that it has lost. */
  #lost = 0;
  #failed = false;
  #loading: Promise<Xxh3> | undefined;
  #looking: Promise<void> | undefined;

  constructor(store: CacheStore, { maxSize = DEFAULT_MAX_SIZE, onEvent = () => {} }: CacheOptions) {
    this.#store = store;
    this.#maxSize = maxSize;
    this.#onEvent = onEvent;
  }

  wrap(source: RandomAccessSource, options?: WithCacheOptions): RandomAccessSource {
    return withCache(source, this, options);
  }

  async extents(version: string): Promise<Extents> {
    return this.#known.extentsOf(hashOf(version, await this.#load()));
  }

  async get(version: string, range: Range): Promise<Uint8Array | undefined> {
    const entry = partName(version, range, await this.#load());
    const bytes = await this.#read(entry);
    if (bytes?.length === range.end - range.start) return bytes;
    await this.#delete(entry.name);
    return undefined;
  }

  async put(version: string, range: Range, bytes: Uint8Array): Promise<void> {
    await this.#write(partName(version, range, await this.#load()), bytes);
  }

  async file(id: string): Promise<CachedFile | undefined> {
    const entry = noteName(id, await this.#load());
    if (!this.#known.has(entry.name)) return undefined;
    const note = await this.#read(entry);
    if (note !== undefined) {
      const [size, ...version] = new TextDecoder().decode(note).split('\n');
      return { version: version.join('\n'), size: Number(size) };
    }
    await this.#delete(entry.name);
    return undefined;
  }

  async noteFile(id: string, { version, size }: CachedFile): Promise<void> {
    const known = await this.file(id);
    if (known?.version === version && known.size === size) return;
    const note = new TextEncoder().encode(`${size}\n${version}`);
    await this.#write(noteName(id, await this.#load()), note);
  }

  /** The payload of an entry, if the store has it whole, and it is this one. */
  async #read({ name, key }: EntryName): Promise<Uint8Array | undefined> {
    const xxh3 = await this.#load();
    try {
      const sealed = await this.#store.read(name);
      const bytes = sealed && openEntry(key, sealed, xxh3);
      if (bytes !== undefined) this.#known.remember(name, sealed!.length);
      else if (sealed !== undefined) this.#onEvent({ type: 'cache-drop', name });
      return bytes;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  async #write(entry: EntryName, payload: Uint8Array): Promise<void> {
    const { name, key } = entry;
    const sealed = sealEntry(key, payload, await this.#load());
    if (!this.#writable || sealed.length > this.#maxSize) return;
    if (this.#unseen + sealed.length > this.#maxSize * UNSEEN_SHARE) await this.#look();
    const part = this.#known.has(name) ? undefined : partOf(name);
    // Counted before anything is awaited, because other parts may be stored at the same time.
    this.#known.remember(name, sealed.length);
    this.#writing.add(name);
    try {
      if (!(await this.#makeRoom())) return this.#known.forget(name);
      this.#unseen += sealed.length;
      await this.#store.write(name, sealed);
      if (part !== undefined) this.#known.extentsOf(part.hash).add(part.range);
      if (!this.#proven) await this.#prove(entry);
    } catch (error) {
      this.#known.forget(name);
      this.#fail(error);
    } finally {
      this.#writing.delete(name);
    }
  }

  /** The first entries show whether the store keeps what is written. */
  async #prove({ name, key }: EntryName): Promise<void> {
    const kept = await this.#store.read(name);
    this.#proven = kept !== undefined && openEntry(key, kept, await this.#load()) !== undefined;
    if (this.#proven) return;
    await this.#delete(name);
    this.#lost += 1;
    // Once or twice, another process may have deleted it.
    if (this.#lost < MAX_LOST) return;
    throw new SinkError('Cannot keep anything in the cache: its store does not give back what it is given');
  }

  /** Says once that the store fails. A full disk or quota stays full, so nothing more is written. */
  #fail(error: unknown): void {
    this.#writable = false;
    if (!this.#failed) this.#onEvent({ type: 'cache-failure', error });
    this.#failed = true;
  }

  /**
   * Deletes the least recently used entries: parts first, because without the small notes they are not found. False when there
   * is too little room, because all is being written, or nothing can be deleted.
   */
  async #makeRoom(): Promise<boolean> {
    for (const notes of [false, true]) {
      for (const oldest of this.#known.names()) {
        if (this.#known.total <= this.#maxSize || !this.#writable) return this.#writable;
        const isNote = partOf(oldest) === undefined;
        if (isNote !== notes || this.#writing.has(oldest) || !this.#known.has(oldest)) continue;
        await this.#delete(oldest);
        if (this.#writable) this.#onEvent({ type: 'cache-evict', name: oldest });
      }
    }
    return this.#writable && this.#known.total <= this.#maxSize;
  }

  #load(): Promise<Xxh3> {
    this.#loading ??= this.#look().then(async () => (await loadKernels(['xxh3'])).xxh3);
    return this.#loading;
  }

  /** Lists the store. If that fails, what is known of it stays, and nothing more is written: it would not be found again. */
  #look(): Promise<void> {
    this.#looking ??= this.#list().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #list(): Promise<void> {
    const start = Date.now();
    this.#unseen = 0;
    try {
      const listed = await this.#store.list();
      this.#known.merge(
        listed.filter(({ name }) => isEntryName(name)),
        start,
        this.#writing,
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  async #delete(name: string): Promise<void> {
    this.#known.forget(name);
    try {
      await this.#store.delete(name);
    } catch (error) {
      this.#fail(error);
    }
  }
}
