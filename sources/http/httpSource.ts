import { ABORT_RULES } from '../../src/checks/abortOptions.js';
import {
  callback,
  checkOptions,
  having,
  number,
  object,
  oneOf,
  optionsOf,
  type Rules,
} from '../../src/checks/options.js';
import { ArgumentError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';
import { EVENT_RULES, type OnSourceEvent } from '../events.js';
import { withFailover } from '../failover.js';
import { DEFAULT_MAX_KEPT } from '../kept.js';
import { createLimiter, type Limiter } from '../limiter.js';
import { RETRY_RULES, type RetryOptions, withRetry } from '../retry.js';
import { HttpFile, type HttpFileOptions } from './httpFile.js';
import type { FetchOptions } from './request.js';
import { requestUrl } from './url.js';
import { VALIDATE_OPTIONS } from './validator.js';

/** Requests of one source that may be open at a time: what browsers allow to one host over HTTP/1.1. */
const DEFAULT_CONCURRENCY = 6;

/** Long enough for a busy server, short enough to notice a connection that died silently. */
const DEFAULT_IDLE_TIMEOUT = 30_000;

/** How a file is fetched: requests, retries, and what is checked. */
export interface HttpSourceOptions {
  /** Makes the requests. Default: the engine's `fetch`. */
  readonly fetch?: typeof fetch | undefined;
  /**
   * Headers of every request, such as `authorization`. Only safelisted ones follow a redirect to another origin; in
   * browsers, where redirects cannot be seen, the others follow if that origin allows them.
   */
  readonly headers?: ConstructorParameters<typeof Headers>[0];
  /**
   * Further options of `fetch`, such as `cache`, `credentials`, or in Node `dispatcher`. With `cache: 'no-store'`, Chrome
   * fetches ranges of one URL of another origin at the same time; its cache lets them through one by one.
   */
  readonly fetchOptions?: FetchOptions | undefined;
  /** How failed requests are repeated, see `withRetry`; false to never repeat them. */
  readonly retry?: RetryOptions | false | undefined;
  /** Ends all requests of this source. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds of waiting for the next byte after which the request is given up (and repeated). Time in which the
   * consumer reads nothing does not count, and the whole request has no limit. Default 30,000.
   */
  readonly idleTimeout?: number | undefined;
  /** How many requests may be open at a time. Share one among sources to limit them together. Default: 6 each. */
  readonly limiter?: Limiter | undefined;
  /** Most bytes to keep in memory when parts are read from a server that does not support ranges. Default 1 GiB. */
  readonly maxBuffered?: number | undefined;
  /**
   * How to tell that the file has changed between two responses, beside its size. `etag`: by the ETag, where there is
   * one, else by Last-Modified. For servers whose ETag changes though the file does not: `last-modified`, or `size` for
   * nothing but the size; the bytes of two versions can then be mixed, and a cache does not keep them. Default `etag`.
   */
  readonly validate?: 'etag' | 'last-modified' | 'size' | undefined;
  readonly onEvent?: OnSourceEvent | undefined;
}

const RETRY = /* @__PURE__ */ optionsOf(RETRY_RULES);

export const HTTP_RULES: Rules<HttpSourceOptions> = {
  ...ABORT_RULES,
  ...EVENT_RULES,
  fetch: callback,
  fetchOptions: object,
  // What is in them is checked by their class.
  headers: (headers) => (typeof headers !== 'object' || headers instanceof Promise) && 'headers',
  retry: (retry) => retry !== false && RETRY(retry),
  idleTimeout: /* @__PURE__ */ number(),
  limiter: /* @__PURE__ */ having<Limiter>('acquire', 'a limiter, such as createLimiter(4)'),
  maxBuffered: /* @__PURE__ */ number(),
  validate: /* @__PURE__ */ oneOf(VALIDATE_OPTIONS),
};

/**
 * A file on a web server, or on several that have the same file. Every request asks for a range, `bytes=0-` for the
 * whole: the response then says how large the file is, and no proxy compresses it. `size` is undefined until the first
 * response. A broken response is resumed at the byte where it broke; a file that changes meanwhile is an error. If the
 * server does not support ranges, the file is streamed from the start, and reads of parts keep the received bytes in
 * memory, so the file is fetched once; `close` the source to release them.
 *
 * @example
 * const source = httpSource('https://example.org/model/fc1.weight.hct');
 * const { shape, data } = await collectTensor(source.stream());
 *
 * @throws SourceError from streams and reads: with `status` for a response other than 200 or 206, with `retryable`
 * where trying again may help; SourceChangedError when the file has changed since the first response
 * @throws ArgumentError for a relative URL without a page, one with a user name or password, malformed headers, and
 * options that `fetch` refuses
 */
export function httpSource(
  urls: string | URL | readonly (string | URL)[],
  options: HttpSourceOptions = {},
): RandomAccessSource {
  const fileOptions = fileOptionsOf(options);
  const list = Array.isArray(urls) ? urls : [urls];
  if (list.length === 0) throw new ArgumentError('Cannot create an HTTP source without a URL');
  const files = list.map((url) => new HttpFile(requestUrl(url).href, fileOptions));
  return retried(files.length === 1 ? files[0]! : withFailover(files, { onEvent: options.onEvent }), options);
}

/**
 * The same of one server: pages that open a model need nothing of several.
 * @param isOwn all chunks go to readers of ours, which may free their memory
 */
export function serverSource(
  url: string | URL,
  options: HttpSourceOptions = {},
  isOwn?: boolean,
): RandomAccessSource {
  return retried(new HttpFile(requestUrl(url).href, fileOptionsOf(options, isOwn)), options);
}

function fileOptionsOf(options: HttpSourceOptions, isOwn?: boolean): HttpFileOptions {
  checkOptions(options, HTTP_RULES);
  return {
    ...options,
    fetch: options.fetch ?? fetch,
    fetchOptions: checkedFetchOptions(options.fetchOptions),
    headers: checkedHeaders(options.headers),
    limiter: options.limiter ?? createLimiter(DEFAULT_CONCURRENCY),
    idleTimeout: options.idleTimeout ?? DEFAULT_IDLE_TIMEOUT,
    validate: options.validate ?? 'etag',
    maxBuffered: options.maxBuffered ?? DEFAULT_MAX_KEPT,
    isOwn,
  };
}

function retried(
  file: RandomAccessSource,
  { retry = {}, onEvent, signal }: HttpSourceOptions,
): RandomAccessSource {
  return retry === false
    ? file
    : withRetry(file, { onEvent, ...retry, signal: retry.signal === undefined ? signal : retry.signal });
}

/** @throws ArgumentError for malformed ones */
export function checkedHeaders(headers: HttpSourceOptions['headers']): Headers {
  try {
    return new Headers(headers);
  } catch (cause) {
    throw new ArgumentError('Cannot create an HTTP source: malformed headers', { cause });
  }
}

/** What `fetch` refuses, it refuses at every attempt. */
function checkedFetchOptions(options: FetchOptions | undefined): FetchOptions | undefined {
  try {
    new Request('data:,', options);
    return options;
  } catch (cause) {
    throw new ArgumentError('Cannot create an HTTP source: fetch refuses its fetchOptions', { cause });
  }
}
