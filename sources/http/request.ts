import { nextTask } from '../../src/abort.js';
import { SourceError } from '../../src/errors.js';
import { startTimer } from '../../src/timer.js';
import type { OnSourceEvent } from '../events.js';
import type { Limiter } from '../limiter.js';
import type { ByteRange } from '../ranges.js';
import { requestFailure } from './failure.js';
import { dropCredentials, MAX_REDIRECTS, redirectOf, safeHeaders } from './url.js';

export interface HttpRequestOptions {
  readonly fetch: typeof fetch;
  readonly headers: Headers;
  readonly limiter: Limiter;
  /** Milliseconds of waiting for the next byte after which the connection counts as dead. */
  readonly idleTimeout: number;
  readonly onEvent: OnSourceEvent | undefined;
}

/**
 * Browsers hide where a redirect leads, and follow it themselves: they ask another origin for its permission before
 * they send it headers of ours. Known from the first redirect on.
 */
let redirectsAreHidden = false;

/**
 * One GET of a range, from waiting for the limiter to the end of its body. Every failure is a SourceError, retryable
 * where the connection failed.
 */
export class HttpRequest {
  /** Where the file is, before redirects. */
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

  /** The range that the server is asked for. */
  get asked(): ByteRange {
    const { start, end } = this.range;
    // Some servers (sirv, and Vite's with it) read the end 0 as "none" and send the whole file: a byte more is less.
    return start === 0 && end === 1 ? { start, end: 2 } : this.range;
  }

  /** Sends the request and waits for the head of the response. */
  async send(ifRange: string | undefined): Promise<Response> {
    this.#release = await this.#options.limiter.acquire(this.#abort.signal);
    const { start, end } = this.asked;
    const headers = new Headers(this.#options.headers);
    headers.set('range', `bytes=${start}-${end === undefined ? '' : end - 1}`);
    if (ifRange !== undefined) headers.set('if-range', ifRange);
    return this.#head(headers, this.asked);
  }

  /** After `send`, whose response is dropped: asks for the whole file, without a range. */
  async sendPlain(): Promise<Response> {
    this.#body?.cancel().catch(() => {});
    return this.#head(new Headers(this.#options.headers), { start: 0, end: undefined });
  }

  async #head(headers: Headers, { start, end }: ByteRange): Promise<Response> {
    const { onEvent } = this.#options;
    onEvent?.({ type: 'request', url: this.url, start, end });
    const response = await this.#follow(headers);
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
    const broken = (cause: unknown) =>
      new SourceError('Cannot read from the server: the connection broke', {
        name: this.url,
        offset,
        retryable: true,
        cause,
      });
    const { value, done } = await this.#watched(this.#body.read(), broken, offset);
    // Node takes the connection for busy until this task is over, and would open another one for the next request.
    if (done) await nextTask();
    return value;
  }

  /** Ends the request at any point. Does nothing once the body has ended. */
  close(reason?: unknown): void {
    this.#abort.abort(reason);
    this.#release?.();
  }

  /** Follows redirects: the caller's headers go to another origin only where they are safe. */
  async #follow(headers: Headers): Promise<Response> {
    let url = new URL(this.url);
    let sent = headers;
    const seen = new Set<string>();
    for (;;) {
      seen.add(url.href);
      const response = await this.#fetch(url, sent);
      const next = this.#redirect(response, url);
      if (next === undefined) return response;
      const credentials = dropCredentials(next);
      // Its body says nothing that is needed.
      response.body?.cancel().catch(() => {});
      if (credentials) throw this.#refusal('it redirects to a URL with a user name', next, response);
      if (seen.has(next.href)) throw this.#refusal('its redirects lead in a circle', next, response);
      if (seen.size > MAX_REDIRECTS) throw this.#refusal('it redirects too often', next, response);
      if (next.origin !== url.origin) sent = safeHeaders(sent);
      url = next;
    }
  }

  async #fetch(url: URL, headers: Headers): Promise<Response> {
    const { fetch } = this.#options;
    const { signal } = this.#abort;
    const { start } = this.range;
    const failure = (cause: unknown) => requestFailure(cause, url, start);
    if (!redirectsAreHidden) {
      const asked = fetch(url.href, { headers, signal, redirect: 'manual' });
      const response = await this.#watched(asked, failure, start);
      if (response.type !== 'opaqueredirect') return response;
      redirectsAreHidden = true;
    }
    return this.#watched(fetch(url.href, { headers, signal }), failure, start);
  }

  #redirect(response: Response, url: URL): URL | undefined {
    try {
      return redirectOf(response, url);
    } catch {
      throw this.#refusal('it redirects to what is no URL', response.headers.get('location'), response);
    }
  }

  #refusal(why: string, location: unknown, { status }: Response): SourceError {
    return new SourceError(`Cannot read from the server: the request failed: ${why}`, {
      name: this.url,
      status,
      actual: location instanceof URL ? location.href : location,
    });
  }

  /** @param failure makes the error from what is rejected */
  async #watched<T>(
    waiting: Promise<T>,
    failure: (cause: unknown) => SourceError,
    offset: number,
  ): Promise<T> {
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
      throw failure(cause);
    } finally {
      stopWatchdog();
    }
  }
}
