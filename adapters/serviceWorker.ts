/**
 * The same for pages that are not changed: a Service Worker that answers their requests for safetensors files from model
 * files. `dist/service-worker.js` is a script that does nothing else.
 *
 * @module
 */

import { ModelResponses, type ModelResponsesOptions } from './modelResponses.js';

/** What {@link serveModels} answers, from which files, and at which quality. */
export interface ServeModelsOptions extends ModelResponsesOptions {}

/** What is used of a ServiceWorkerGlobalScope. */
interface Scope {
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
}

interface ExtendableEvent {
  waitUntil(promise: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

/**
 * Answers the requests of all pages in the scope of this Service Worker as `createFetch` does; it takes them over at once.
 * To be called when the script of the Service Worker is evaluated. Bundle it to one file: Service Workers cannot load
 * parts on demand.
 *
 * @example
 * // service-worker.js
 * serveModels({ quality: 0.97 });
 *
 * // the page
 * await navigator.serviceWorker.register('/service-worker.js');
 */
export function serveModels(options: ServeModelsOptions = {}): void {
  const models = new ModelResponses(options);
  const scope = globalThis as unknown as Scope;
  scope.addEventListener('install', (event) => event.waitUntil(scope.skipWaiting()));
  scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()));
  scope.addEventListener('fetch', (event) => {
    const { request } = event;
    const url = new URL(request.url);
    const modelUrl = models.modelUrl(url, request.method);
    if (modelUrl === undefined) return;
    const { method, headers, credentials, signal } = request;
    const respond = async () =>
      (await models.respond(modelUrl, { url, method, headers, credentials, signal })) ??
      models.fetch(request);
    event.respondWith(respond());
  });
}
