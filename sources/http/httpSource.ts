import { ArgumentError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { OnSourceEvent } from '../events.js';
import { withFailover } from '../failover.js';
import { createLimiter, type Limiter } from '../limiter.js';
import { type RetryOptions, withRetry } from '../retry.js';
import { HttpFile } from './httpFile.js';

/** Requests of one source that may be open at a time: what browsers allow to one host over HTTP/1.1. */
const DEFAULT_CONCURRENCY = 6;

/** Long enough for a busy server to think, short enough to notice a connection that died without a word. */
const DEFAULT_IDLE_TIMEOUT = 30_000;

/** What is kept in memory at most of a server that takes no ranges: 1 GiB. */
const DEFAULT_MAX_BUFFERED = 2 ** 30;

export interface HttpSourceOptions {
  /** Makes the requests. Default: the engine's `fetch`. */
  readonly fetch?: typeof fetch | undefined;
  /** Headers of every request, such as `authorization`. */
  readonly headers?: ConstructorParameters<typeof Headers>[0];
  /** How failed requests are repeated, see `withRetry`; false for not at all. */
  readonly retry?: RetryOptions | false | undefined;
  /** Ends all requests of this source. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds without a byte, while one is waited for, after which the request is given up (and repeated). Time in
   * which the consumer asks for nothing does not count, nor is there a limit to the whole. Default 30,000.
   */
  readonly idleTimeout?: number | undefined;
  /** How many requests may be open at a time. Share one among sources to limit them together. Default: 6 each. */
  readonly limiter?: Limiter | undefined;
  /** Most bytes to keep of a server that takes no ranges, when parts are read. Default 1 GiB. */
  readonly maxBuffered?: number | undefined;
  readonly onEvent?: OnSourceEvent | undefined;
}

/**
 * A file on a web server, or on several that have the same file. Every request asks for a range, `bytes=0-` for the
 * whole: the response then says how large the file is, and no proxy compresses it on the way. `size` is undefined until
 * the first response. What breaks is resumed at the byte where it broke; a file that changes meanwhile is an error. A
 * server without ranges is streamed from the start; reads of parts then keep what has come in memory, so that it is
 * fetched once: `close` the source to end that.
 *
 * @example
 * const source = httpSource('https://example.org/model/fc1.weight.hct');
 * const { shape, data } = await collectTensor(source.stream());
 *
 * @throws SourceError from streams and reads: with `status` for a response that is no 200 or 206, with `retryable`
 * where trying again may help; SourceChangedError when the file is no longer the one that reading began with
 */
export function httpSource(
  urls: string | URL | readonly (string | URL)[],
  options: HttpSourceOptions = {},
): RandomAccessSource {
  const { retry = {}, onEvent, signal, idleTimeout = DEFAULT_IDLE_TIMEOUT } = options;
  const fileOptions = {
    fetch: options.fetch ?? fetch,
    headers: options.headers,
    limiter: options.limiter ?? createLimiter(DEFAULT_CONCURRENCY),
    idleTimeout,
    maxBuffered: options.maxBuffered ?? DEFAULT_MAX_BUFFERED,
    onEvent,
    signal,
  };
  const list = Array.isArray(urls) ? urls : [urls];
  if (list.length === 0) throw new ArgumentError('no URL');
  const files = list.map((url) => new HttpFile(String(url), fileOptions));
  const file = files.length === 1 ? files[0]! : withFailover(files, { onEvent });
  return retry === false ? file : withRetry(file, { onEvent, ...retry, signal });
}
