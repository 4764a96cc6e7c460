/** An entry as a store lists it. */
export interface StoredEntry {
  readonly name: string;
  /** Bytes that it takes. */
  readonly size: number;
  /** When it was last used or written, as far as the store knows, in milliseconds since 1970. */
  readonly used: number;
}

/**
 * A place that keeps byte strings under names. It need not be reliable: what comes back is checked, and any of its
 * methods may fail. Names are at most 100 characters of `a-z`, `0-9` and `-`.
 */
export interface CacheStore {
  list(): Promise<StoredEntry[]>;
  /** undefined when there is no such entry. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Replaces an entry of the same name. */
  write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  delete(name: string): Promise<void>;
}
