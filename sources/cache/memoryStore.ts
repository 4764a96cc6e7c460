import type { CacheStore } from './store.js';

/** Keeps entries in memory, for as long as the page or process lives. The cache over it bounds how much. */
export function memoryStore(): CacheStore {
  const entries = new Map<string, { readonly bytes: Uint8Array; readonly used: number }>();
  return {
    async list() {
      return Array.from(entries, ([name, { bytes, used }]) => ({ name, size: bytes.length, used }));
    },
    async read(name) {
      // A copy: the entry must not change with what its reader does.
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
