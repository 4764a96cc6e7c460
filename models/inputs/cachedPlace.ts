import type { Cache, WithCacheOptions } from '../../sources/cache/contract.js';
import type { HttpSourceOptions } from '../../sources/http/httpSource.js';
import { type Place, placeOf } from '../../sources/place.js';
import { withRetry } from '../../sources/retry.js';
import type { RandomAccessSource } from '../../src/source.js';

/**
 * The place that a text names, whose files are kept in a cache. Requests are tried again around the cache, so that what the
 * cache has is given without waiting for a server that cannot be reached.
 */
export function cachedPlace(
  input: string | URL,
  cache: Cache,
  http: HttpSourceOptions,
  offline: WithCacheOptions['offline'],
): Place {
  const { retry = {}, onEvent, signal } = http;
  const cached = (source: RandomAccessSource): RandomAccessSource => {
    // A file on disk, or in memory, needs no cache.
    if (source.version === undefined) return source;
    const kept = cache.wrap(source, { onEvent, offline });
    return retry === false ? kept : withRetry(kept, { onEvent, ...retry, signal });
  };
  const place = placeOf(input, { ...http, retry: false });
  return {
    ...place,
    open: async () => cached(await place.open()),
    openBeside: async (name) => cached(await place.openBeside(name)),
  };
}
