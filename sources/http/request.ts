import { untilAborted } from '../../platform/abort.js';
import { startWatchdog } from '../../platform/timer.js';
import { nextTask } from '../../src/async/steps.js';
import { SourceError } from '../../src/errors.js';
import type { OnSourceEvent } from '../events.js';
import type { Limiter } from '../limiter.js';
import type { ByteRange } from '../ranges.js';
import { isUnexplained, requestFailure } from './failure.js';
import type { Redirects } from './redirects.js';
import type { Refusal } from './refusal.js';

/** Options of `fetch` but for those that are the source's own. */
export type FetchOptions = Omit<
  NonNullable<Parameters<typeof fetch>[1]>,
  'body' | 'headers' | 'method' | 'redirect' | 'signal' | 'window'
>;

export interface HttpRequestOptions {
  readonly fetch: typeof fetch;
  readonly fetchOptions: FetchOptions | undefined;
  readonly headers: Headers;
  readonly limiter: Limiter;
  /** Milliseconds of waiting for the next byte after which the connection counts as dead. */
  readonly idleTimeout: number;
  readonly onEvent?: OnSourceEvent | undefined;
  /** All chunks go to readers of ours. */
  readonly isOwn?: boolean | undefined;
}

/** What the requests of one file share. */
export interface HttpTarget {
  /** Where the file is, before redirects. */
  readonly url: string;
  /** Once there has been one. */
  redirects?: Redirects;
  /** A response has come: what fails later does so for another reason than rules of a browser. */
  answered?: boolean;
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
  /** Nothing else uses the memory of chunks. */
  isOwn: boolean | undefined;
  readonly #target: HttpTarget;
  readonly #options: HttpRequestOptions;
  readonly #abort = new AbortController();
  #release: (() => void) | undefined;
  #body: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(target: HttpTarget, range: ByteRange, options: HttpRequestOptions) {
    this.url = target.url;
    this.range = range;
    this.#target = target;
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
    const response = await this.#response(headers);
    this.#target.answered = true;
    onEvent?.({ type: 'response', url: this.url, status: response.status });
    this.#body = response.body?.getReader();
    // One that a script has made may give memory that it uses again.
    this.isOwn = this.#options.isOwn && response.type !== 'default';
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
        file: this.url,
        offset,
        retryable: true,
        cause,
      });
    const { value, done } = await this.#watched(this.#body.read(), broken, offset);
    // Node takes the connection for busy until this task is over, and would open another one for the next request.
    if (done) await nextTask();
    return value;
  }

  /** Gives its place to others while no reader wants its bytes. */
  rest(): void {
    this.#release?.();
    this.#release = undefined;
  }

  /** Takes a place again, after `rest`. */
  async resume(): Promise<void> {
    this.#release ??= await this.#options.limiter.acquire(this.#abort.signal);
  }

  /** Ends the request at any point. Does nothing once the body has ended. */
  close(reason?: unknown): void {
    this.#abort.abort(reason);
    this.#body?.cancel(reason).catch(() => {});
    this.#release?.();
  }

  async #response(headers: Headers): Promise<Response> {
    const target = this.#target;
    const send = (url: URL, sent: Headers) => this.#fetch(url, sent);
    if (target.redirects !== undefined) return target.redirects.send(headers, send);
    const response = await send(new URL(this.url), headers);
    if (!(response.redirected || response.headers.has('location'))) return response;
    const { Redirects } = await import('./redirects.js');
    target.redirects ??= new Redirects(this.url);
    return target.redirects.follow(response, headers, send);
  }

  async #fetch(url: URL, headers: Headers): Promise<Response> {
    const { fetch, fetchOptions } = this.#options;
    const init = { ...fetchOptions, headers, signal: this.#abort.signal };
    const { start } = this.range;
    const failure = async (cause: unknown) =>
      requestFailure(cause, url, start, await this.#refusal(cause, url));
    if (!redirectsAreHidden) {
      const asked = this.#unlessAborted(fetch(url.href, { ...init, redirect: 'manual' }));
      const response = await this.#watched(asked, failure, start);
      if (response.type !== 'opaqueredirect') return response;
      redirectsAreHidden = true;
    }
    return this.#watched(this.#unlessAborted(fetch(url.href, init)), failure, start);
  }

  /** A response that comes all the same, from a `fetch` of the caller's that hears no signal, is dropped. */
  async #unlessAborted(asked: Promise<Response>): Promise<Response> {
    const response = await asked;
    if (this.#abort.signal.aborted) response.body?.cancel().catch(() => {});
    return response;
  }

  /** Why a browser refused a request, which it does not tell. */
  async #refusal(cause: unknown, url: URL): Promise<Refusal | undefined> {
    // Other engines have no page, and say what has failed.
    if (
      !url.protocol.startsWith('http') ||
      this.#target.answered ||
      !globalThis.location ||
      !isUnexplained(cause)
    )
      return undefined;
    // Where the network is down, so may be the server of this code.
    return import('./refusal.js').then(
      ({ refusalOf }) => refusalOf(url, this.#options.fetch),
      () => undefined,
    );
  }

  /** @param failure makes the error from what is rejected */
  async #watched<T>(
    waiting: Promise<T>,
    failure: (cause: unknown) => SourceError | Promise<SourceError>,
    offset: number,
  ): Promise<T> {
    const { idleTimeout } = this.#options;
    const { signal } = this.#abort;
    const stop = startWatchdog(idleTimeout, () => {
      this.#abort.abort(
        new SourceError(`Cannot read from the server: it sent nothing for ${idleTimeout} ms`, {
          file: this.url,
          offset,
          retryable: true,
        }),
      );
    });
    try {
      return await untilAborted(waiting, signal);
    } catch (cause) {
      // Engines differ in the error of an aborted request; the reason of the abort is the same in all.
      if (signal.aborted) throw signal.reason;
      throw await failure(cause);
    } finally {
      stop();
    }
  }
}
