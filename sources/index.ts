/**
 * Where bytes come from, and what can be wrapped around a source. Files on disk are in `holostream/node`.
 *
 * @example
 * const limiter = createLimiter(4);
 * const [first, second] = ['fc1', 'fc2'].map((name) =>
 *   withCoalescing(httpSource(`https://example.org/model/${name}.weight.hct`, { limiter })),
 * );
 * console.log(await Promise.all([first!.read(0, 64), second!.read(0, 64)]));
 *
 * @module
 */

export type { ByteStreamLike, FileHandleLike, SourceInput } from '../platform/byteReader.js';
export type { BytesLike } from '../src/bytes/binary.js';
export type { CoalesceOptions, Range } from '../src/bytes/ranges.js';
export type { AbortOptions } from '../src/checks/abortOptions.js';
export type { ByteRangeOptions, ByteSource, RandomAccessSource, ReadOptions } from '../src/source.js';
export { blobSource } from './blob.js';
export { bytesSource } from './bytes.js';
export { cacheApiStore, opfsStore } from './cache/browserStores.js';
export { type CacheOptions, openCache } from './cache/cache.js';
export type { Cache, CachedFile, WithCacheOptions } from './cache/contract.js';
export type { Extents } from './cache/extents.js';
export { type CacheStore, memoryStore, type StoredEntry } from './cache/store.js';
export { withCache } from './cache/withCache.js';
export { withCoalescing } from './coalesce.js';
export type { OnSourceEvent, SourceEvent } from './events.js';
export { type FailoverOptions, withFailover } from './failover.js';
export { type HttpSourceOptions, httpSource } from './http/httpSource.js';
export { createLimiter, type Limiter } from './limiter.js';
export { type RetryOptions, withRetry } from './retry.js';
export { streamSource } from './stream.js';
