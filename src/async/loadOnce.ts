/**
 * Loads what a key stands for once, for all callers. A failure is forgotten: a module that could not be fetched may be
 * there at the next call.
 */
export function loadOnce<K, T>(loading: Map<K, Promise<T>>, key: K, load: () => Promise<T>): Promise<T> {
  let loaded = loading.get(key);
  if (loaded === undefined) {
    loaded = load();
    loading.set(key, loaded);
    loaded.catch(() => loading.delete(key));
  }
  return loaded;
}
