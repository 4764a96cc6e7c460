import type { CacheStore, StoredEntry } from './store.js';

/**
 * Keeps entries in the browser's Cache API, under this name. Tabs of one origin share it; writes are atomic.
 *
 * @throws DOMException where the engine has no Cache API to offer: outside of secure contexts, in some private windows
 */
export async function cacheApiStore(name: string): Promise<CacheStore> {
  if (typeof caches === 'undefined') throw new DOMException('no Cache API here', 'NotSupportedError');
  const cache = await caches.open(name);
  // Entries are addressed by path; the query says what listing needs, so that no entry has to be opened for it.
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
      // One of another time would stay beside it, under its own query.
      await cache.delete(urlOf(entry), { ignoreSearch: true });
      await cache.put(urlOf(entry, `?size=${bytes.length}&time=${Date.now()}`), new Response(bytes));
    },
    async delete(entry) {
      await cache.delete(urlOf(entry), { ignoreSearch: true });
    },
  };
}
