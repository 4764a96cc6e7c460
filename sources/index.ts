/** Where bytes come from, and what can be wrapped around. Node's files are in `holostream/node`. */

export * from './blob.js';
export * from './bytes.js';
export * from './cache/cache.js';
export * from './cache/cacheApiStore.js';
export * from './cache/memoryStore.js';
export * from './cache/opfsStore.js';
export type * from './cache/store.js';
export * from './cache/withCache.js';
export * from './coalesce.js';
export type * from './events.js';
export * from './failover.js';
export * from './http.js';
export * from './limiter.js';
export * from './retry.js';
export * from './stream.js';
