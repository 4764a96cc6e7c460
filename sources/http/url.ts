import { ArgumentError } from '../../src/errors.js';

/**
 * The whole URL of a request; relative ones are relative to the page or worker.
 * @throws ArgumentError where no request can be made: no URL, a relative one without a page, a user name or password in it
 */
export function requestUrl(url: string | URL): URL {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  let whole: URL;
  try {
    whole = new URL(url, base);
  } catch (cause) {
    const why =
      base === undefined
        ? 'it is no URL, and there is no page that it could be relative to; fileSource(path) reads a file'
        : 'it is no URL';
    throw new ArgumentError(`Cannot read over HTTP: ${why}`, { actual: url, cause });
  }
  if (!dropCredentials(whole)) return whole;
  throw new ArgumentError(
    'Cannot read over HTTP: the URL has a user name or password, which fetch refuses (pass them as `headers: { authorization }`)',
    { name: whole.href },
  );
}

/** Takes a user name and password out of a URL, so that no message shows them; true when there were any. */
export function dropCredentials(url: URL): boolean {
  const found = url.username !== '' || url.password !== '';
  url.username = '';
  url.password = '';
  return found;
}

/** Browsers follow 20 redirects, too. */
export const MAX_REDIRECTS = 20;

/**
 * Where a response redirects to; undefined when it does not.
 * @throws TypeError when that is no URL
 */
export function redirectOf({ status, headers }: Response, url: URL): URL | undefined {
  const location = headers.get('location');
  if (location === null || ![301, 302, 303, 307, 308].includes(status)) return undefined;
  return new URL(location, url);
}

/** Headers that may go to any origin: those that fetch safelists, and those of the range. */
const SAFE_HEADERS = new Set([
  'accept',
  'accept-language',
  'content-language',
  'content-type',
  'range',
  'if-range',
]);

/** Without what only the first origin is to see: tokens, keys, cookies. */
export function safeHeaders(headers: Headers): Headers {
  return new Headers([...headers].filter(([name]) => SAFE_HEADERS.has(name)));
}
