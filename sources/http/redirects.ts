import { SourceError } from '../../src/errors.js';
import { dropCredentials } from './url.js';

/** Sends a GET with these headers. */
export type Send = (url: URL, headers: Headers) => Promise<Response>;

/** Browsers follow 20 redirects, too. */
const MAX_REDIRECTS = 20;

/** Bytes of a redirect's body that are read, so that the next request can use its connection: a short text. */
const MAX_DRAINED = 16384;

/** Targets in a row that refuse the first request which asks them directly, after which redirects are followed each time. */
const MAX_INDIRECT = 2;

/** Headers that may go to any origin: those that fetch safelists, and those of the range. */
const SAFE_HEADERS = new Set([
  'accept',
  'accept-language',
  'content-language',
  'content-type',
  'range',
  'if-range',
]);

/** Where redirects have led to. */
interface Target {
  readonly url: URL;
  /** It may have the caller's headers. */
  readonly trusted: boolean;
  /** It has given what it was asked for directly. */
  works: boolean;
}

/**
 * The redirects of one file. They are followed once: later requests ask where they have led to, such as a signed URL of a
 * hub, until that refuses. The caller's headers stay with the first origin.
 */
export class Redirects {
  readonly #url: URL;
  #target: Target | undefined;
  /** Targets in a row that gave nothing but to those that a redirect led there: URLs that work once, for example. */
  #indirect = 0;

  /** @param url of the file, before redirects */
  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** Asks where the file is at present. @throws what `send` throws; SourceError for redirects that lead nowhere */
  async send(headers: Headers, send: Send): Promise<Response> {
    const target = this.#target;
    const response = target && (await this.#direct(target, headers, send));
    return response ?? this.follow(await send(this.#url, headers), headers, send);
  }

  /**
   * Follows a response that redirects, and remembers where that leads.
   * @param response of the file's own URL
   */
  async follow(response: Response, headers: Headers, send: Send): Promise<Response> {
    let url = this.#url;
    let latest = response;
    let trusted = true;
    const seen = new Set<string>();
    for (;;) {
      seen.add(url.href);
      const next = this.#next(latest, url);
      if (next === undefined) break;
      const credentials = dropCredentials(next);
      drain(latest);
      if (credentials) throw this.#refusal('it redirects to a URL with a user name', next, latest);
      if (seen.has(next.href)) throw this.#refusal('its redirects lead in a circle', next, latest);
      if (seen.size > MAX_REDIRECTS) throw this.#refusal('it redirects too often', next, latest);
      trusted &&= next.origin === url.origin;
      url = next;
      latest = await send(url, trusted ? headers : safeHeaders(headers));
    }
    // Browsers follow redirects themselves, and say where to.
    if (latest.redirected && latest.url !== '') {
      url = new URL(latest.url);
      trusted &&= url.origin === this.#url.origin;
    }
    const moved = url.href !== this.#url.href;
    if (moved && latest.ok && this.#indirect < MAX_INDIRECT) this.#target = { url, trusted, works: false };
    return latest;
  }

  /** Asks a target; undefined where it refuses, and the redirects are to be followed again. */
  async #direct(target: Target, headers: Headers, send: Send): Promise<Response | undefined> {
    const { url, trusted } = target;
    try {
      const response = await send(url, trusted ? headers : safeHeaders(headers));
      if (response.status < 400 || response.status === 416) {
        target.works = true;
        this.#indirect = 0;
        return response;
      }
      this.#forget(target);
      // A busy server is left alone for a while; the next attempt may be led to another one.
      if (isPassing(response.status)) return response;
      drain(response);
    } catch (error) {
      this.#forget(target);
      // Browsers do not tell a refusal from a broken connection.
      if (!(error instanceof SourceError)) throw error;
    }
    return undefined;
  }

  #forget(target: Target): void {
    // Another request may have found a new one meanwhile.
    if (this.#target !== target) return;
    this.#target = undefined;
    if (!target.works) this.#indirect += 1;
  }

  #next(response: Response, url: URL): URL | undefined {
    const location = response.headers.get('location');
    if (location === null || !isRedirect(response)) return undefined;
    try {
      return new URL(location, url);
    } catch {
      throw this.#refusal('it redirects to what is no URL', location, response);
    }
  }

  #refusal(why: string, location: unknown, { status }: Response): SourceError {
    return new SourceError(`Cannot read from the server: the request failed: ${why}`, {
      file: this.#url.href,
      status,
      actual: location instanceof URL ? location.href : location,
    });
  }
}

function isRedirect({ status }: Response): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/** Request timeout, too early, too many requests, and what may pass of a server's own errors. */
function isPassing(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

/** Without what only the first origin is to see: tokens, keys, cookies. */
function safeHeaders(headers: Headers): Headers {
  return new Headers([...headers].filter(([name]) => SAFE_HEADERS.has(name)));
}

/** Reads a short body to its end in the background: nothing in it is needed, but its connection is. */
function drain({ body }: Response): void {
  if (body === null) return;
  const reader = body.getReader();
  const read = async (left: number): Promise<void> => {
    const { done, value } = await reader.read();
    if (done) return;
    if (value.length > left) return reader.cancel();
    return read(left - value.length);
  };
  read(MAX_DRAINED).catch(() => {});
}
