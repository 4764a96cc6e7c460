import type { ByteStreamLike, SourceInput } from '../../platform/byteReader.js';
import { isUrlObject } from '../../platform/path.js';
import { CACHE, type Cache, OFFLINE, type WithCacheOptions } from '../../sources/cache/contract.js';
import { HTTP_RULES, type HttpSourceOptions } from '../../sources/http/httpSource.js';
import { createLimiter } from '../../sources/limiter.js';
import { type Place, placeOf } from '../../sources/place.js';
import { type LimitsOption, limitsOf } from '../../src/checks/limits.js';
import { optionsOf, type Rules } from '../../src/checks/options.js';
import { ArgumentError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';
import { cachedPlace } from './cachedPlace.js';

/** How the files of a model are fetched, and kept. */
export interface FetchingOptions {
  /**
   * How files are fetched, if the model is given by its URL. They share the limit `concurrency` of requests at a time, or
   * the `limiter` of these options, which models can share.
   */
  readonly http?: HttpSourceOptions | undefined;
  /**
   * Keeps what is fetched, if the model is given by its URL: the next time, only what is missing is fetched. All that has come is
   * in it when the model is closed.
   */
  readonly cache?: Cache | undefined;
  /**
   * `true`: the model is read from the cache only, without requests; bytes that the cache lacks are a SourceError.
   * `'fallback'`: it is read from the cache if the server cannot be reached. Default false: the server is asked whether
   * the files have changed.
   */
  readonly offline?: WithCacheOptions['offline'];
}

export const FETCHING_RULES: Rules<FetchingOptions> = {
  http: /* @__PURE__ */ optionsOf(HTTP_RULES),
  cache: CACHE,
  offline: OFFLINE,
};

export function checkOffline({ cache, offline }: FetchingOptions): void {
  if (offline && cache === undefined) {
    throw new ArgumentError('Cannot open the model offline: the option cache says where it is read from');
  }
}

/** Whether the input names a place, and is not what is there. */
export function isPlace(input: unknown): input is string | URL {
  return typeof input === 'string' || isUrlObject(input);
}

/** The place of a model, whose files share the limit of requests. */
export function placeOfModel(
  input: string | URL,
  { http, cache, offline, ...options }: FetchingOptions & LimitsOption,
): Place {
  const limiter = http?.limiter ?? createLimiter(Math.floor(limitsOf(options).concurrency));
  const shared = { ...http, limiter };
  return cache === undefined ? placeOf(input, shared, true) : cachedPlace(input, cache, shared, offline);
}

/** What is no URL is loaded on demand: most models have one. */
export async function openInput(input: SourceInput): Promise<RandomAccessSource> {
  if (isPlace(input)) return placeOf(input).open();
  const { openBytes } = await import('../../sources/openBytesOnDemand.js');
  return openBytes(input as ByteStreamLike);
}

/** Closes a source that has no other owner where what is in it cannot be opened. */
export async function closedOnFailure<T>(source: RandomAccessSource, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await source.close?.();
    throw error;
  }
}
