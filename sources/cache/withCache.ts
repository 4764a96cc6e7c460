import type { Range } from '../../src/bytes/ranges.js';
import { check, checkOptions, having } from '../../src/options.js';
import { assertSource, type RandomAccessSource } from '../../src/source.js';
import { EVENT_RULES, type OnSourceEvent } from '../events.js';
import { type ChunkReader, streamReader } from '../pullStream.js';
import { type ByteRange, beyondEnd } from '../ranges.js';
import { WrappedSource } from '../streamedSource.js';
import type { Cache } from './cache.js';

/** Bytes of one entry: few enough entries for a store, small enough to be read and verified at once. */
const ENTRY_SIZE = 2 ** 20;

const CACHE = /* @__PURE__ */ having<Cache>('extents', 'a cache, such as openCache(memoryStore())');

export interface WithCacheOptions {
  readonly onEvent?: OnSourceEvent | undefined;
}

/**
 * The same source, with every byte it gives stored in a cache and read from there the next time. Entries belong to the
 * source's `version`, which is asked for first: a file that has changed is fetched again. A source without a version is
 * not cached.
 *
 * @example
 * const url = 'https://example.org/model/model.safetensors';
 * const source = withRetry(withCache(httpSource(url, { retry: false }), openCache(memoryStore())));
 */
export function withCache(
  source: RandomAccessSource,
  cache: Cache,
  options: WithCacheOptions = {},
): RandomAccessSource {
  assertSource(source);
  check('cache', cache, CACHE);
  return new CachedSource(source, cache, checkOptions(options, EVENT_RULES));
}

class CachedSource extends WrappedSource {
  readonly #cache: Cache;
  readonly #onEvent: OnSourceEvent | undefined;

  constructor(source: RandomAccessSource, cache: Cache, { onEvent }: WithCacheOptions) {
    super(source);
    this.#cache = cache;
    this.#onEvent = onEvent;
  }

  protected override async open({ start, end }: ByteRange, signal: AbortSignal): Promise<ChunkReader> {
    if (start === end) return { next: async () => undefined };
    const version = await this.source.version?.({ signal });
    const { size } = this.source;
    if (version === undefined || size === undefined) return streamReader(this.source.stream({ start, end }));
    if ((end ?? start) > size) throw beyondEnd(end ?? start, size);
    return this.#parts(version, start, end ?? size);
  }

  /** Cached parts from the cache, the gaps between them from the source. */
  #parts(version: string, start: number, end: number): ChunkReader {
    let position = start;
    let fetching: ChunkReader | undefined;
    return {
      next: async () => {
        while (position < end) {
          if (fetching === undefined) {
            const bytes = await this.#kept(version, position, end);
            if (bytes !== undefined) {
              position += bytes.length;
              return bytes;
            }
            const extents = await this.#cache.extents(version);
            const stop = Math.min(end, extents.nextStart(position) ?? end);
            fetching = keeping(this.source, { start: position, end: stop }, (range, bytes) =>
              this.#cache.put(version, range, bytes),
            );
          }
          const chunk = await fetching.next();
          if (chunk !== undefined) {
            position += chunk.length;
            return chunk;
          }
          await fetching.close?.();
          fetching = undefined;
        }
        return undefined;
      },
      close: (reason) => fetching?.close?.(reason),
    };
  }

  /** The cached bytes from this byte on; undefined when the source must be asked. */
  async #kept(version: string, position: number, end: number): Promise<Uint8Array | undefined> {
    const extents = await this.#cache.extents(version);
    for (let range = extents.at(position); range !== undefined; range = extents.at(position)) {
      const bytes = await this.#cache.get(version, range);
      if (bytes === undefined) {
        // The cache listed it, but it is gone or damaged.
        extents.delete(range);
        continue;
      }
      const stop = Math.min(end, range.end);
      this.#onEvent?.({ type: 'cache-hit', start: position, end: stop });
      return bytes.subarray(position - range.start, stop - range.start);
    }
    return undefined;
  }
}

/**
 * Passes on the bytes of a range, and gives them to `keep` in pieces of ENTRY_SIZE; at an early end, those read so far.
 */
function keeping(
  source: RandomAccessSource,
  { start, end }: Range,
  keep: (range: Range, bytes: Uint8Array) => Promise<void>,
): ChunkReader {
  const reader = streamReader(source.stream({ start, end }));
  let position = start;
  let buffer = new Uint8Array(0);
  let filled = 0;
  const flush = async () => {
    const bytes = buffer.subarray(0, filled);
    const from = position;
    position += filled;
    filled = 0;
    buffer = new Uint8Array(0);
    if (bytes.length > 0) await keep({ start: from, end: position }, bytes);
  };
  const add = async (chunk: Uint8Array) => {
    for (let used = 0; used < chunk.length; ) {
      if (buffer.length === 0) buffer = new Uint8Array(Math.min(ENTRY_SIZE, end - position));
      const part = chunk.subarray(used, used + buffer.length - filled);
      buffer.set(part, filled);
      used += part.length;
      filled += part.length;
      if (filled === buffer.length) await flush();
    }
  };
  return {
    async next() {
      try {
        const chunk = await reader.next();
        if (chunk !== undefined) await add(chunk);
        return chunk;
      } catch (error) {
        await flush();
        throw error;
      }
    },
    async close(reason) {
      await reader.close?.(reason);
      await flush();
    },
  };
}
