import { Extents } from './extents.js';
import { partOf } from './names.js';
import type { StoredEntry } from './store.js';

interface Entry {
  readonly size: number;
  /** Time of its last use, as far as this process knows, in milliseconds since 1970. */
  readonly used: number;
}

/** What a cache knows of its store without asking it: the entries, their use, and which parts of which files they are. */
export class KnownEntries {
  /** The least recently used first. */
  #entries = new Map<string, Entry>();
  readonly #files = new Map<string, Extents>();
  #total = 0;

  /** Bytes of all entries. */
  get total(): number {
    return this.#total;
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** The least recently used first. */
  names(): Iterable<string> {
    return this.#entries.keys();
  }

  /**
   * Takes what the store had at a time, and keeps what this process has used and written since.
   * @param writing entries that are being written
   */
  merge(listed: readonly StoredEntry[], time: number, writing: ReadonlySet<string>): void {
    const names = new Set(listed.map(({ name }) => name));
    for (const [name, { used }] of this.#entries) {
      if (!names.has(name) && used < time && !writing.has(name)) this.forget(name);
    }
    const found = listed.filter(({ name }) => !this.#entries.has(name)).map(({ name }) => partOf(name));
    const parts = found.filter((part) => part !== undefined);
    // In their order, because a list that is sorted takes them at its end.
    for (const { hash, range } of parts.sort((a, b) => a.range.start - b.range.start)) {
      this.extentsOf(hash).add(range);
    }
    const all = new Map(this.#entries);
    for (const { name, size, used } of listed) {
      all.set(name, { size, used: Math.max(used, all.get(name)?.used ?? 0) });
    }
    this.#entries = new Map([...all].sort(([, a], [, b]) => a.used - b.used));
    this.#total = 0;
    for (const { size } of all.values()) this.#total += size;
  }

  /** The parts of one file that are stored. */
  extentsOf(hash: string): Extents {
    let extents = this.#files.get(hash);
    if (extents === undefined) {
      extents = new Extents();
      this.#files.set(hash, extents);
    }
    return extents;
  }

  /** Makes an entry the most recently used. */
  remember(name: string, size: number): void {
    this.#total += size - (this.#entries.get(name)?.size ?? 0);
    this.#entries.delete(name);
    this.#entries.set(name, { size, used: Date.now() });
  }

  forget(name: string): void {
    this.#total -= this.#entries.get(name)?.size ?? 0;
    this.#entries.delete(name);
    const part = partOf(name);
    if (part !== undefined) this.extentsOf(part.hash).delete(part.range);
  }
}
