/**
 * A `fetch` that gives safetensors files from the model files beside them, to libraries that take a `fetch` of their
 * user's.
 *
 * @module
 */

import { ModelResponses, type ModelResponsesOptions } from './modelResponses.js';

/** What {@link createFetch} answers, from which files, and at which quality. */
export interface CreateFetchOptions extends ModelResponsesOptions {}

/**
 * A `fetch` that answers requests for `x.safetensors` with the bytes that `x.holo.safetensors` has of it at a quality, ranges
 * and HEAD among them, and passes on all other requests. Where there is no model file, it passes the request on, too.
 * Responses below quality 1 say `Cache-Control: no-store`; their `ETag` is that of the quality.
 *
 * A model file that cannot be read becomes a response with the status of its server, or 502 if it is damaged or too large; a
 * server that cannot be reached a TypeError, as of `fetch`. What fails after the headers is an error of the body.
 *
 * @example
 * const roughFetch = createFetch({ quality: 0.97 });
 * const response = await roughFetch('https://example.org/model/model.safetensors');
 * console.log((await response.arrayBuffer()).byteLength);
 */
export function createFetch(options: CreateFetchOptions = {}): typeof fetch {
  const models = new ModelResponses(options);
  return async (input, init) => {
    const given: Partial<Request> = typeof input === 'object' && 'url' in input ? input : {};
    const url = urlOf(given.url ?? String(input));
    const method = init?.method ?? given.method ?? 'GET';
    const modelUrl = url && models.modelUrl(url, method);
    if (url === undefined || modelUrl === undefined) return models.fetch(input, init);
    const response = await models.respond(modelUrl, {
      ...{ url, method },
      headers: new Headers(init?.headers ?? given.headers),
      credentials: init?.credentials ?? given.credentials,
      signal: init?.signal ?? given.signal,
    });
    return response ?? models.fetch(input, init);
  };
}

/** Undefined for what has no address outside of a page. */
function urlOf(text: string): URL | undefined {
  try {
    return new URL(text, globalThis.location?.href);
  } catch {
    return undefined;
  }
}
