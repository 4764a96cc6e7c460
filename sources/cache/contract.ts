/** What a cache does, apart from how: programs that are given one need not load what makes it. */

import type { Range } from '../../src/bytes/ranges.js';
import { having, oneOf } from '../../src/checks/options.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { OnSourceEvent } from '../events.js';
import type { Extents } from './extents.js';

/** What a cache knows of a file without asking its source. */
export interface CachedFile {
  /** The source's `version` when it was last asked. */
  readonly version: string;
  readonly size: number;
}

/** Parts of files in a store, verified whenever they are read. One cache can serve many sources. */
export interface Cache {
  /** The same source, with what it gives kept in this cache: see {@link withCache}. */
  wrap(source: RandomAccessSource, options?: WithCacheOptions): RandomAccessSource;
  /** The cached parts of the file with this version. */
  extents(version: string): Promise<Extents>;
  /** The bytes of one part; undefined when they are missing or damaged. */
  get(version: string, range: Range): Promise<Uint8Array | undefined>;
  /** Stores these bytes if possible; never fails. */
  put(version: string, range: Range, bytes: Uint8Array): Promise<void>;
  /** What is noted of the source with this id; undefined without a note. */
  file(id: string): Promise<CachedFile | undefined>;
  /** Notes what the source with this id has said, if possible; never fails. */
  noteFile(id: string, file: CachedFile): Promise<void>;
}

/** When the source behind a cache is asked. */
export interface WithCacheOptions {
  /**
   * `true`: the source is never used; bytes that the cache lacks are an error. `'fallback'`: if the source cannot be
   * reached, the cached bytes of the last known version are used. Default false: nothing is read before the source has
   * confirmed that the file is still the same.
   */
  readonly offline?: boolean | 'fallback' | undefined;
  readonly onEvent?: OnSourceEvent | undefined;
}

export const CACHE = /* @__PURE__ */ having<Cache>('extents', 'a cache, such as openCache(memoryStore())');

export const OFFLINE = /* @__PURE__ */ oneOf([true, false, 'fallback']);
