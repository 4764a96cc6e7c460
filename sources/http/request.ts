import { SourceError } from '../../src/errors.js';
import type { OnSourceEvent } from '../events.js';
import type { Limiter } from '../limiter.js';
import type { ByteRange } from '../ranges.js';

export interface HttpRequestOptions {
  readonly fetch: typeof fetch;
  readonly headers: ConstructorParameters<typeof Headers>[0];
  readonly limiter: Limiter;
  /** Milliseconds without a byte, while one is waited for, after which the connection counts as dead. */
  readonly idleTimeout: number;
  readonly onEvent: OnSourceEvent | undefined;
}

/**
 * One GET of a range, from waiting for a place in the queue to the end of its body. Every failure comes out as a
 * SourceError, retryable where the connection is to blame.
 */
export class HttpRequest {
  readonly url: string;
  readonly range: ByteRange;
  readonly #options: HttpRequestOptions;
  readonly #abort = new AbortController();
  #release: (() => void) | undefined;
  #body: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(url: string, range: ByteRange, options: HttpRequestOptions) {
    this.url = url;
    this.range = range;
    this.#options = options;
  }

  /** Sends the request and waits for the head of the response. */
  async send(ifRange: string | undefined): Promise<Response> {
    const { fetch, limiter, onEvent } = this.#options;
    const { start, end } = this.range;
    this.#release = await limiter.acquire(this.#abort.signal);
    const headers = new Headers(this.#options.headers);
    headers.set('range', `bytes=${start}-${end === undefined ? '' : end - 1}`);
    if (ifRange !== undefined) headers.set('if-range', ifRange);
    onEvent?.({ type: 'request', url: this.url, start, end });
    const { signal } = this.#abort;
    const response = await this.#watched(fetch(this.url, { headers, signal }), 'request failed', start);
    onEvent?.({ type: 'response', url: this.url, status: response.status });
    this.#body = response.body?.getReader();
    return response;
  }

  /**
   * The next chunk of the body, or undefined at its end.
   * @param offset the place of that chunk in the file, for errors
   */
  async chunk(offset: number): Promise<Uint8Array | undefined> {
    if (this.#body === undefined) return undefined;
    return (await this.#watched(this.#body.read(), 'connection broke', offset)).value;
  }

  /** Ends the request, wherever it is. Does nothing to one whose body has ended. */
  close(reason?: unknown): void {
    this.#abort.abort(reason);
    this.#release?.();
  }

  async #watched<T>(waiting: Promise<T>, what: string, offset: number): Promise<T> {
    const { idleTimeout } = this.#options;
    const watchdog = setTimeout(() => {
      this.#abort.abort(
        new SourceError(`server sent nothing for ${idleTimeout} ms`, {
          name: this.url,
          offset,
          retryable: true,
        }),
      );
    }, idleTimeout);
    try {
      return await waiting;
    } catch (cause) {
      // Engines differ in what an aborted request fails with; the reason says it all.
      if (this.#abort.signal.aborted) throw this.#abort.signal.reason;
      throw new SourceError(what, { name: this.url, offset, retryable: true, cause });
    } finally {
      clearTimeout(watchdog);
    }
  }
}
