import type { OwnBytes } from '../../src/bytes/binary.js';

/** An entry in a store's listing. */
export interface StoredEntry {
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /** Time of the last use or write that the store knows of, in milliseconds since 1970. */
  readonly used: number;
}

/**
 * A place that keeps byte strings under names. It need not be reliable: the cache verifies what it reads, and any
 * method may fail. Names are at most 100 characters of `a-z`, `0-9` and `-`.
 */
export interface CacheStore {
  /** All entries, in any order. */
  list(): Promise<StoredEntry[]>;
  /** undefined when there is no such entry. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Replaces an entry of the same name. */
  write(name: string, bytes: OwnBytes): Promise<void>;
  /** Deletes an entry, if there is one. */
  delete(name: string): Promise<void>;
}

/** Keeps entries in memory, for as long as the page or process lives. The cache over it bounds how much. */
export function memoryStore(): CacheStore {
  const entries = new Map<string, { readonly bytes: Uint8Array; readonly used: number }>();
  return {
    async list() {
      return Array.from(entries, ([name, { bytes, used }]) => ({ name, size: bytes.length, used }));
    },
    async read(name) {
      // A copy: the reader may change its bytes, the entry must not change.
      return entries.get(name)?.bytes.slice();
    },
    async write(name, bytes) {
      entries.set(name, { bytes, used: Date.now() });
    },
    async delete(name) {
      entries.delete(name);
    },
  };
}
