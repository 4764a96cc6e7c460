import { type AbortOptions, checkAbort } from '../../src/checks/abortOptions.js';
import { check, checkOptions, type Rules } from '../../src/checks/options.js';
import { ArgumentError, SourceChangedError, SourceError, UnsupportedError } from '../../src/errors.js';
import { assertSource, type RandomAccessSource } from '../../src/source.js';
import { type ChunkReader, streamReader } from '../chunkReader.js';
import { EVENT_RULES } from '../events.js';
import { type ByteRange, beyondEnd } from '../ranges.js';
import { WrappedSource } from '../streamedSource.js';
import { CACHE, type Cache, type CachedFile, OFFLINE, type WithCacheOptions } from './contract.js';
import { keeping } from './keeping.js';

const RULES: Rules<WithCacheOptions> = { ...EVENT_RULES, offline: OFFLINE };

/**
 * The same source, with every byte it gives stored in a cache and read from there the next time. Entries belong to the
 * source's `version`, which is asked for before any of them is used: a file that has changed is fetched again. A source
 * that has no version or size is not cached, which an event says once.
 *
 * @example
 * const url = 'https://example.org/model/model.safetensors';
 * const source = withRetry(withCache(httpSource(url, { retry: false }), openCache(memoryStore())));
 *
 * @throws SourceError from streams and reads: offline, for bytes that are not in the cache; ArgumentError for `offline`
 * with a source that has no `id`
 */
export function withCache(
  source: RandomAccessSource,
  cache: Cache,
  options: WithCacheOptions = {},
): RandomAccessSource {
  assertSource(source);
  check('cache', cache, CACHE);
  if (checkOptions(options, RULES).offline && source.id === undefined) {
    throw new ArgumentError('Cannot read the source offline: it has no id, by which a cache finds it');
  }
  return new CachedSource(source, cache, options);
}

class CachedSource extends WrappedSource {
  readonly #cache: Cache;
  readonly #options: WithCacheOptions;
  /** What the cache has noted of the file, as long as the source has not been asked. */
  #noted: CachedFile | undefined;
  /** What the source has said. */
  #file: CachedFile | undefined;
  #passed = false;

  constructor(source: RandomAccessSource, cache: Cache, options: WithCacheOptions) {
    super(source);
    this.#cache = cache;
    this.#options = options;
  }

  override get size(): number | undefined {
    return this.source.size ?? this.#noted?.size;
  }

  override async version(options: AbortOptions = {}): Promise<string | undefined> {
    return (await this.#find(checkAbort(options)))?.version;
  }

  protected override async open({ start, end }: ByteRange, signal: AbortSignal): Promise<ChunkReader> {
    if (start === end) return { next: async () => undefined };
    if (await this.#isNew()) return this.#fetch(start, end);
    const file = await this.#find({ signal });
    if (file === undefined) return streamReader(this.source.stream({ start, end }));
    if ((end ?? start) > file.size) throw beyondEnd(end ?? start, file.size);
    return this.#parts(file.version, start, end ?? file.size);
  }

  /** Of a file that the cache has never seen, it has nothing: the first request need not be about the version. */
  async #isNew(): Promise<boolean> {
    if (this.#options.offline === true || this.source.size !== undefined || this.id === undefined)
      return false;
    return (await this.#note()) === undefined;
  }

  /** Version and size: of the source, or, where that is not to be asked or cannot be, as the cache has noted them. */
  async #find(options?: AbortOptions): Promise<CachedFile | undefined> {
    const { offline } = this.#options;
    if (this.#noted !== undefined) return this.#noted;
    if (offline === true) {
      this.#noted = await this.#note();
      if (this.#noted === undefined) throw notCached(this.id);
      return this.#noted;
    }
    try {
      return await this.#ask(options);
    } catch (error) {
      if (offline !== 'fallback' || !(error instanceof SourceError && error.retryable)) throw error;
      this.#noted = await this.#note();
      if (this.#noted === undefined) throw error;
      return this.#noted;
    }
  }

  async #note(): Promise<CachedFile | undefined> {
    return this.id === undefined ? undefined : this.#cache.file(this.id);
  }

  /** The version and size of the source, which knows them after its first response, noted in the cache. */
  async #ask(options?: AbortOptions): Promise<CachedFile | undefined> {
    const version = await this.source.version?.(options);
    const { size } = this.source;
    if (version === undefined || size === undefined) {
      this.#pass(version === undefined);
      return undefined;
    }
    if (this.#file?.version !== version && this.id !== undefined) {
      await this.#cache.noteFile(this.id, { version, size });
    }
    this.#file = { version, size };
    return this.#file;
  }

  /** Says once why nothing is kept. */
  #pass(lacksVersion: boolean): void {
    if (this.#passed) return;
    this.#passed = true;
    const why = lacksVersion
      ? 'Cannot keep the file in the cache: its source has no version; servers send a strong ETag, or the date of the last change'
      : 'Cannot keep the file in the cache: its size is unknown; servers send it in Content-Range, and CORS hides that';
    const error = new UnsupportedError(why, { file: this.id });
    this.#options.onEvent?.({ type: 'cache-failure', error });
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
            await this.#assertSame(version, position);
            fetching = this.#fetch(position, Math.min(end, extents.nextStart(position) ?? end));
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

  /** Called before bytes of the source follow bytes of the cache: of a noted version, the source has not been asked yet. */
  async #assertSame(version: string, offset: number): Promise<void> {
    if (this.#noted === undefined) return;
    if (this.#options.offline === true) throw notCached(this.id, offset);
    const actual = (await this.#ask())?.version;
    if (actual !== version) {
      throw new SourceChangedError(
        'Cannot read on from the server: the file in the cache is another version of it',
        {
          file: this.id,
          expected: version,
          actual,
        },
      );
    }
    this.#noted = undefined;
  }

  /** Bytes of the source, kept in the cache as they pass. */
  #fetch(start: number, end: number | undefined): ChunkReader {
    return keeping(this.source, { start, end }, async (range, bytes) => {
      // The source has had a response, so this takes no request. Bytes that cannot be kept do not fail the read.
      const file = await this.#ask().catch(() => undefined);
      if (file !== undefined) await this.#cache.put(file.version, range, bytes);
    });
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
      this.#options.onEvent?.({ type: 'cache-hit', start: position, end: stop });
      return bytes.subarray(position - range.start, stop - range.start);
    }
    return undefined;
  }
}

/** @param offset of the first byte that is missing; without it, the cache has nothing of the file */
function notCached(file: string | undefined, offset?: number): SourceError {
  const cause =
    offset === undefined ? Object.assign(new Error('no such file'), { code: 'ENOENT' }) : undefined;
  return new SourceError('Cannot read the file offline: the cache does not have all of it', {
    file,
    offset,
    cause,
  });
}
