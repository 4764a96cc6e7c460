import { ArgumentError } from '../src/errors.js';
import { checkedHeaders, type HttpSourceOptions } from './http/httpSource.js';

/**
 * Names of models on hubs. `openModel` loads this on demand: with `placeOf`, it would have a second copy of all that fetches.
 */

/** A model on a hub: `hf:org/model`, with a revision `hf:org/model@v1.0`, or a file of it `hf:org/model/onnx/model.onnx`. */
const NAME = /^hf:(?:\/\/)?([\w.-]+\/[\w.-]+)(?:@([^/]+))?(?:\/(.*))?$/;

const DEFAULT_HUB = 'https://huggingface.co';

/** The hub's address and the user's token, by the names that all clients of the hub use; the defaults where there is no environment. */
export function environment(): { readonly hub: string; readonly token: string | undefined } {
  const { process } = globalThis as { process?: { env?: Readonly<Record<string, string | undefined>> } };
  const { HF_ENDPOINT, HF_TOKEN } = process?.env ?? {};
  return { hub: HF_ENDPOINT || DEFAULT_HUB, token: HF_TOKEN || undefined };
}

/**
 * The URL of a model on a hub, and how it is requested: with the token, unless the headers have an authorization of their own.
 * @throws ArgumentError for what is no model on a hub, and malformed headers
 */
export function onHub(
  name: string,
  http: HttpSourceOptions | undefined,
): { readonly url: string; readonly http: HttpSourceOptions | undefined } {
  const { hub, token } = environment();
  const url = hubUrl(name, hub);
  if (token === undefined) return { url, http };
  const headers = checkedHeaders(http?.headers);
  if (headers.has('authorization')) return { url, http };
  return { url, http: { ...http, ...withToken(token, headers) } };
}

export function withToken(token: string, headers = new Headers()): { readonly headers: Headers } {
  headers.set('authorization', `Bearer ${token}`);
  return { headers };
}

/** @throws ArgumentError */
export function hubUrl(name: string, hub: string): string {
  const [, model, revision = 'main', file = ''] = NAME.exec(name) ?? [];
  const parts = [...(model?.split('/') ?? []), ...file.split('/')];
  if (model === undefined || parts.some((part) => /^\.+$/.test(part))) {
    throw new ArgumentError('Cannot find the model on a hub: its name is of another form', {
      name,
      expected: 'hf:organisation/model, with @revision or /file',
    });
  }
  // A revision may have slashes, escaped or not: refs%2Fpr%2F1.
  const path = file.split('/').map(encodeURIComponent).join('/');
  return `${hub.replace(/\/+$/, '')}/${model}/resolve/${encodeURIComponent(decoded(revision))}/${path}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
