import type { Range } from '../../src/bytes/ranges.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { check, checkOptions, having, number, type Rules } from '../../src/options.js';
import { EVENT_RULES, type OnSourceEvent } from '../events.js';
import { openEntry, sealEntry, type Xxh3 } from './entry.js';
import { Extents } from './extents.js';
import type { CacheStore, StoredEntry } from './store.js';

/** Default cap: 1 GiB, a few models of the size that browsers load. */
const DEFAULT_MAX_SIZE = 2 ** 30;

/** Names of entries: hash of the file's version, first byte, one past the last. Other names are ignored. */
const NAME = /^([0-9a-f]{16})-(\d{1,16})-(\d{1,16})$/;

/**
 * What a cache writes before it looks at its store again, as a share of the most bytes to keep: other processes write to
 * the same store.
 */
const UNSEEN_SHARE = 1 / 16;

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

/** Parts of files in a {@link CacheStore}, verified whenever they are read. One cache can serve many sources. */
export interface Cache {
  /** The cached parts of the file with this version. */
  extents(version: string): Promise<Extents>;
  /** The bytes of one part; undefined when they are missing or damaged. */
  get(version: string, range: Range): Promise<Uint8Array | undefined>;
  /** Stores these bytes if possible; never fails. */
  put(version: string, range: Range, bytes: Uint8Array): Promise<void>;
}

interface Entry {
  readonly size: number;
  /** Time of its last use, as far as this process knows, in milliseconds since 1970. */
  readonly used: number;
}

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
  readonly #maxSize: number;
  readonly #onEvent: OnSourceEvent;
  /** The least recently used first. */
  #entries = new Map<string, Entry>();
  readonly #files = new Map<string, Extents>();
  /** Bytes of all entries. */
  #total = 0;
  /** Entries that are being written: they count, and are not deleted. */
  readonly #writing = new Set<string>();
  /** Bytes written since the last look at the store. */
  #unseen = 0;
  #writable = true;
  #loading: Promise<Xxh3> | undefined;
  #looking: Promise<void> | undefined;

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
    if (this.#unseen + sealed.length > this.#maxSize * UNSEEN_SHARE) await this.#look();
    const isNew = !this.#entries.has(name);
    // Counted before anything is awaited, because other parts may be stored at the same time.
    this.#remember(name, sealed.length);
    this.#writing.add(name);
    try {
      if (!(await this.#makeRoom())) return this.#forget(name);
      this.#unseen += sealed.length;
      await this.#store.write(name, sealed);
      if (isNew) this.#extentsOf(hash).add(range);
    } catch (error) {
      this.#forget(name);
      // A full disk or quota stays full: continue without writing, and do not try again for every part.
      this.#writable = false;
      this.#onEvent({ type: 'cache-failure', error });
    } finally {
      this.#writing.delete(name);
    }
  }

  /** Deletes the least recently used entries. False when there is too little room, because all is being written. */
  async #makeRoom(): Promise<boolean> {
    for (const oldest of this.#entries.keys()) {
      if (this.#total <= this.#maxSize) return true;
      if (this.#writing.has(oldest) || !this.#entries.has(oldest)) continue;
      await this.#delete(oldest);
      this.#onEvent({ type: 'cache-evict', name: oldest });
    }
    return this.#total <= this.#maxSize;
  }

  #load(): Promise<Xxh3> {
    this.#loading ??= this.#look().then(async () => (await loadKernels(['xxh3'])).xxh3);
    return this.#loading;
  }

  /** Lists the store; one that cannot be listed stays as it is known. */
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
      this.#merge(
        listed.filter(({ name }) => NAME.test(name)),
        start,
      );
    } catch (error) {
      this.#onEvent({ type: 'cache-failure', error });
    }
  }

  /** What the store had at a time, and what this process has used and written since. */
  #merge(listed: readonly StoredEntry[], time: number): void {
    const names = new Set(listed.map(({ name }) => name));
    for (const [name, { used }] of this.#entries) {
      if (!names.has(name) && used < time && !this.#writing.has(name)) this.#forget(name);
    }
    const found = listed.map((entry) => ({ ...entry, ...rangeOf(entry.name) }));
    // In their order, because a list that is sorted takes them at its end.
    for (const { name, hash, range } of found.sort((a, b) => a.range.start - b.range.start)) {
      if (!this.#entries.has(name)) this.#extentsOf(hash).add(range);
    }
    const all = new Map(this.#entries);
    for (const { name, size, used } of listed) {
      all.set(name, { size, used: Math.max(used, all.get(name)?.used ?? 0) });
    }
    this.#entries = new Map([...all].sort(([, a], [, b]) => a.used - b.used));
    this.#total = 0;
    for (const { size } of all.values()) this.#total += size;
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
    this.#total += size - (this.#entries.get(name)?.size ?? 0);
    this.#entries.delete(name);
    this.#entries.set(name, { size, used: Date.now() });
  }

  #forget(name: string): void {
    this.#total -= this.#entries.get(name)?.size ?? 0;
    this.#entries.delete(name);
    const { hash, range } = rangeOf(name);
    this.#extentsOf(hash).delete(range);
  }

  async #delete(name: string): Promise<void> {
    this.#forget(name);
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

/** What the name of an entry says. */
function rangeOf(name: string): { readonly hash: string; readonly range: Range } {
  const [, hash, start, end] = NAME.exec(name)!;
  return { hash: hash!, range: { start: Number(start), end: Number(end) } };
}

function keyOf(version: string, { start, end }: Range): string {
  return `${version}\n${start}-${end}`;
}
