import type { Model } from '../models/model.js';
import { openModel } from '../models/openModel.js';
import { untilAborted } from '../platform/abort.js';
import { CACHE, type Cache } from '../sources/cache/contract.js';
import { streamReader } from '../sources/chunkReader.js';
import { pullStream } from '../sources/pullStream.js';
import { LIMIT_RULES, type LimitsOption } from '../src/checks/limits.js';
import { callback, checkOptions, type Rules } from '../src/checks/options.js';
import { ChecksumError, FormatError, HolostreamError, SourceError, UnsupportedError } from '../src/errors.js';
import { QUALITY } from '../src/holotensor/quality.js';

export interface ModelResponsesOptions extends LimitsOption {
  /**
   * Which requests are answered from a model file: a pattern of their URLs without query and fragment, or a function that
   * gives the URL of the model file (absolute, or relative to that of the request), and undefined for a request that is passed on.
   * The model file of `x.safetensors` is `x.holo.safetensors`, with the same query. Default: all URLs of paths that end in
   * `.safetensors`, except model files themselves.
   */
  readonly match?: RegExp | ((url: URL) => string | URL | undefined) | undefined;
  /** Cosine similarity of the whole model with the original. Default 1: the original, bit for bit. */
  readonly quality?: number | undefined;
  /** Fetches model files, and what is passed on. Default: the engine's `fetch` when this is called. */
  readonly fetch?: typeof fetch | undefined;
  /** Keeps what is fetched of model files. */
  readonly cache?: Cache | undefined;
}

const RULES: Rules<ModelResponsesOptions> = {
  ...LIMIT_RULES,
  match: (match) => !(match instanceof RegExp) && callback(match) && 'a regular expression or a function',
  quality: QUALITY,
  fetch: callback,
  cache: CACHE,
};

/** What a request says of itself. */
export interface ModelRequest {
  readonly url: URL;
  /** 'GET' or 'HEAD'. */
  readonly method: string;
  readonly headers: Headers;
  readonly credentials?: Request['credentials'] | undefined;
  readonly signal?: AbortSignal | undefined;
}

const PLAIN = /\.safetensors$/;
const ENCODED = /\.holo\.safetensors$/;

/** Statuses of servers that have no such file. 403: to clients that may not list its files, some do not say so. */
const MISSING: readonly (number | undefined)[] = [403, 404, 410];

/**
 * Answers requests for safetensors files from model files. Each model file is opened once, by the first request for it, and
 * again when it has failed.
 */
export class ModelResponses {
  readonly fetch: typeof fetch;
  readonly #options: ModelResponsesOptions;
  /** By URL; undefined where there is no model file. */
  readonly #models = new Map<string, Promise<Model | undefined>>();

  constructor(options: ModelResponsesOptions) {
    const { fetch: own = globalThis.fetch } = checkOptions(options, RULES);
    this.#options = options;
    // Some engines refuse a `fetch` with another `this`.
    this.fetch = (input, init) => own.call(globalThis, input, init);
  }

  /** The URL of the model file; undefined for requests that are passed on. */
  modelUrl(url: URL, method: string): string | undefined {
    const { match = PLAIN } = this.#options;
    if (!/^https?:$/.test(url.protocol) || !/^(GET|HEAD)$/i.test(method)) return undefined;
    if (typeof match === 'function') {
      const target = match(url);
      return target === undefined ? undefined : new URL(target, url).href;
    }
    if (ENCODED.test(url.pathname) || !PLAIN.test(url.pathname)) return undefined;
    const plain = url.origin + url.pathname;
    // One with the flag g remembers where it was.
    match.lastIndex = 0;
    return match.test(plain) ? plain.replace(PLAIN, '.holo.safetensors') + url.search : undefined;
  }

  /**
   * @returns undefined where there is no model file at this URL
   * @throws TypeError when its server cannot be reached, as `fetch` does; the reason of the signal
   */
  async respond(modelUrl: string, request: ModelRequest): Promise<Response | undefined> {
    const { signal } = request;
    signal?.throwIfAborted();
    try {
      const opening = this.#open(modelUrl, request);
      const model = await (signal === undefined ? opening : untilAborted(opening, signal));
      return model && (await this.#response(model, modelUrl, request));
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      return failure(error);
    }
  }

  async #response(model: Model, modelUrl: string, request: ModelRequest): Promise<Response> {
    const { url, method, headers, signal } = request;
    const name = decoded(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
    const known = model.files.includes(name);
    if (!known && model.files.length > 1) return errorResponse(404, `No file ${name} in the model file`);
    const { quality } = this.#options;
    const file = await model.file({ quality, name: known ? name : undefined, signal });
    const isHead = /^head$/i.test(method);
    const tag = `"${await file.version()}"`;
    if (listed(headers.get('if-none-match')).includes(tag)) {
      return new Response(null, { status: 304, headers: file.response({ method: 'HEAD' }).headers });
    }
    const condition = headers.get('if-range');
    const range = condition === null || condition === tag ? headers.get('range') : null;
    const response = file.response({ range: range ?? undefined, method: isHead ? 'HEAD' : 'GET', signal });
    const { body, status, statusText } = response;
    if (body === null) return response;
    // A file that has changed on its server fails from then on, unless it is opened again.
    const watched = watch(body, () => this.#models.delete(modelUrl));
    return new Response(watched, { status, statusText, headers: response.headers });
  }

  #open(modelUrl: string, request: ModelRequest): Promise<Model | undefined> {
    let opening = this.#models.get(modelUrl);
    if (opening === undefined) {
      opening = this.#openNew(modelUrl, request);
      this.#models.set(modelUrl, opening);
      opening.catch(() => this.#models.delete(modelUrl));
    }
    return opening;
  }

  async #openNew(modelUrl: string, { headers, credentials }: ModelRequest): Promise<Model | undefined> {
    const { cache, limits } = this.#options;
    const authorization = headers.get('authorization');
    const http = {
      fetch: this.fetch,
      headers: authorization === null ? {} : { authorization },
      ...(credentials === undefined ? {} : { fetchOptions: { credentials } }),
    };
    try {
      const model = await openModel(modelUrl, { http, cache, limits });
      if (model.format === 'model-file') return model;
      await model.close();
      return undefined;
    } catch (error) {
      const isMissing = error instanceof SourceError && MISSING.includes(error.status);
      // Some servers send a page in place of a file that is missing. Files of one tensor, and of later versions, are not supported.
      const isForeign =
        (error instanceof FormatError && !(error instanceof ChecksumError)) ||
        error instanceof UnsupportedError;
      if (isMissing || isForeign) return undefined;
      throw error;
    }
  }
}

/** The same stream; `failed` is called when it fails. */
function watch(stream: ReadableStream<Uint8Array>, failed: () => void): ReadableStream<Uint8Array> {
  const reader = streamReader(stream);
  return pullStream(
    {
      next: () =>
        reader.next().catch((error) => {
          failed();
          throw error;
        }),
      close: (reason) => reader.close?.(reason),
    },
    [],
  );
}

/** @throws TypeError where no server has responded; errors of other kinds as they are */
function failure(error: unknown): Response {
  if (!(error instanceof HolostreamError)) throw error;
  if (error instanceof SourceError && error.status === undefined) {
    throw new TypeError(error.message, { cause: error });
  }
  const { status = 502 } = error as Partial<SourceError>;
  return errorResponse(status >= 400 ? status : 502, error.message);
}

function errorResponse(status: number, message: string): Response {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
  return new Response(message, { status, headers });
}

function listed(tags: string | null): string[] {
  return (tags ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
