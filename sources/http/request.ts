import { SourceError } from '../../src/errors.js';
import { startTimer } from '../../src/timer.js';
import type { OnSourceEvent } from '../events.js';
import type { Limiter } from '../limiter.js';
import type { ByteRange } from '../ranges.js';

export interface HttpRequestOptions {
  readonly fetch: typeof fetch;
  readonly headers: ConstructorParameters<typeof Headers>[0];
  readonly limiter: Limiter;
  /** Milliseconds of waiting for the next byte after which the connection counts as dead. */
  readonly idleTimeout: number;
  readonly onEvent: OnSourceEvent | undefined;
}

/**
 * One GET of a range, from waiting for the limiter to the end of its body. Every failure is a SourceError, retryable
 * where the connection failed.
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
    const response = await this.#watched(
      fetch(this.url, { headers, signal }),
      'Cannot read from the server: the request failed',
      start,
    );
    onEvent?.({ type: 'response', url: this.url, status: response.status });
    this.#body = response.body?.getReader();
    return response;
  }

  /**
   * The next chunk of the body, or undefined at its end.
   * @param offset position of that chunk in the file, for errors
   */
  async chunk(offset: number): Promise<Uint8Array | undefined> {
    if (this.#body === undefined) return undefined;
    return (
      await this.#watched(this.#body.read(), 'Cannot read from the server: the connection broke', offset)
    ).value;
  }

  /** Ends the request at any point. Does nothing once the body has ended. */
  close(reason?: unknown): void {
    this.#abort.abort(reason);
    this.#release?.();
  }

  async #watched<T>(waiting: Promise<T>, what: string, offset: number): Promise<T> {
    const { idleTimeout } = this.#options;
    const stopWatchdog = startTimer(idleTimeout, () => {
      this.#abort.abort(
        new SourceError(`Cannot read from the server: it sent nothing for ${idleTimeout} ms`, {
          name: this.url,
          offset,
          retryable: true,
        }),
      );
    });
    try {
      return await waiting;
    } catch (cause) {
      // Engines differ in the error of an aborted request; the reason of the abort is the same in all.
      if (this.#abort.signal.aborted) throw this.#abort.signal.reason;
      throw new SourceError(what, { name: this.url, offset, retryable: true, cause });
    } finally {
      stopWatchdog();
    }
  }
}
