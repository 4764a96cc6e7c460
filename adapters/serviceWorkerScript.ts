/**
 * The script of a Service Worker, configured by the query of its URL:
 * `navigator.serviceWorker.register('/service-worker.js?quality=0.97')`.
 */

import { type ServeModelsOptions, serveModels } from './serviceWorker.js';

/** - `quality`: a number; `match`: a regular expression for the URLs that are answered. */
function optionsOf(query: URLSearchParams): ServeModelsOptions {
  const quality = query.get('quality');
  const match = query.get('match');
  return {
    ...(quality === null ? {} : { quality: quality.trim() === '' ? Number.NaN : Number(quality) }),
    ...(match === null ? {} : { match: new RegExp(match) }),
  };
}

serveModels(optionsOf(new URL(globalThis.location.href).searchParams));
