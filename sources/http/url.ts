import { check } from '../../src/checks/options.js';
import { address } from '../../src/checks/rules.js';
import { ArgumentError } from '../../src/errors.js';

/**
 * The whole URL of a request; relative ones are relative to the page or worker.
 * @throws ArgumentError where no request can be made: no URL, a relative one without a page, a user name or password in it
 */
export function requestUrl(url: string | URL): URL {
  check('url', url, address);
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  let whole: URL;
  try {
    whole = new URL(url, base);
  } catch {
    const why =
      base === undefined
        ? 'it is no URL, and there is no page that it could be relative to; fileSource(path) reads a file'
        : 'it is no URL';
    // A relative one may have a query, too, and the engine's error would have all of it.
    const [actual] = String(url).split(/[?#]/);
    throw new ArgumentError(`Cannot read over HTTP: ${why}`, { actual });
  }
  if (!dropCredentials(whole)) return whole;
  throw new ArgumentError(
    'Cannot read over HTTP: the URL has a user name or password, which fetch refuses (pass them as `headers: { authorization }`)',
    { file: whole.href },
  );
}

/** Takes a user name and password out of a URL, so that no message shows them; true when there were any. */
export function dropCredentials(url: URL): boolean {
  const found = url.username !== '' || url.password !== '';
  url.username = '';
  url.password = '';
  return found;
}
