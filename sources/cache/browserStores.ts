import { UnsupportedError } from '../../src/errors.js';
import type { CacheStore, StoredEntry } from './store.js';

/**
 * Keeps entries in the browser's Cache API, under this name. Tabs of one origin share it; writes are atomic.
 *
 * @throws UnsupportedError where the engine has no Cache API: outside of secure contexts; the engine's DOMException where it
 *   refuses to open it, as in some private windows
 */
export async function cacheApiStore(name: string): Promise<CacheStore> {
  if (typeof caches === 'undefined') {
    throw new UnsupportedError(`Cannot open the cache "${name}": no Cache API is available here`);
  }
  const cache = await caches.open(name);
  // Entries are addressed by path; the query holds what listing needs, so no entry has to be opened for it.
  const urlOf = (entry: string, query = '') => `https://holostream.invalid/${entry}${query}`;
  return {
    async list() {
      const requests = await cache.keys();
      return requests.map(({ url }): StoredEntry => {
        const { pathname, searchParams } = new URL(url);
        return {
          name: pathname.slice(1),
          size: Number(searchParams.get('size')),
          used: Number(searchParams.get('time')),
        };
      });
    },
    async read(entry) {
      const response = await cache.match(urlOf(entry), { ignoreSearch: true });
      return response && new Uint8Array(await response.arrayBuffer());
    },
    async write(entry, bytes) {
      // An older entry would remain beside it, under its own query.
      await cache.delete(urlOf(entry), { ignoreSearch: true });
      await cache.put(urlOf(entry, `?size=${bytes.length}&time=${Date.now()}`), new Response(bytes));
    },
    async delete(entry) {
      await cache.delete(urlOf(entry), { ignoreSearch: true });
    },
  };
}

/**
 * Keeps entries as files in a folder of the browser's origin-private file system. Tabs of one origin share it; a file
 * appears whole, when its writer is closed.
 *
 * @throws UnsupportedError where the engine has no such file system, or none that pages can write: outside of secure
 *   contexts, Safari before 26; the engine's DOMException where it refuses to open it, as in some private windows
 */
export async function opfsStore(folder: string): Promise<CacheStore> {
  // The types promise it, but not every browser has it.
  const storage: StorageManager | undefined = navigator.storage;
  if (storage?.getDirectory === undefined || !('createWritable' in FileSystemFileHandle.prototype)) {
    throw new UnsupportedError(
      `Cannot open the cache "${folder}": no writable origin-private file system is available here`,
    );
  }
  const root = await storage.getDirectory();
  const directory = await root.getDirectoryHandle(folder, { create: true });
  return {
    async list() {
      const entries: StoredEntry[] = [];
      for await (const [name, handle] of directory.entries()) {
        if (handle.kind !== 'file') continue;
        const file = await (handle as FileSystemFileHandle).getFile().catch(ignoreMissing);
        if (file !== undefined) entries.push({ name, size: file.size, used: file.lastModified });
      }
      return entries;
    },
    async read(name) {
      const handle = await directory.getFileHandle(name).catch(ignoreMissing);
      return handle && new Uint8Array(await (await handle.getFile()).arrayBuffer());
    },
    async write(name, bytes) {
      const handle = await directory.getFileHandle(name, { create: true });
      const stream = await handle.createWritable();
      try {
        await stream.write(bytes);
        await stream.close();
      } catch (error) {
        await stream.abort().catch(() => {});
        throw error;
      }
    },
    async delete(name) {
      await directory.removeEntry(name).catch(ignoreMissing);
    },
  };
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error;
}
