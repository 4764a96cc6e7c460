import type { IncomingMessage } from 'node:http';
import { type FileServer, fileServer } from './fileServer.js';
import { smallGguf } from './ggufFiles.js';
import { modelOf } from './models.js';
import { XetStorage } from './xet.js';

export const HUB_SHARDS = {
  'model-00001-of-00002.safetensors': modelOf([{ name: 'a', dtype: 'F32', shape: [40, 50] }]),
  'model-00002-of-00002.safetensors': modelOf([{ name: 'b', dtype: 'BF16', shape: [40, 50] }]),
};
const [first, second] = Object.keys(HUB_SHARDS);
export const HUB_INDEX = new TextEncoder().encode(JSON.stringify({ weight_map: { a: first, b: second } }));

export const HUB_RAW = new Uint8Array(Float32Array.from({ length: 600 }, (_, i) => Math.sin(i)).buffer);

/**
 * A stand-in of the hub: small files are its own, large ones are on a server of another origin, at signed URLs, which expire. Of
 * these, some are stored by Xet.
 */
export interface Hub extends AsyncDisposable {
  readonly url: string;
  /** Requests to the hub itself. */
  readonly requests: readonly string[];
  readonly xet: XetStorage;
  /** Signed URLs of before are refused from now on. */
  expireUrls(): void;
  /** Authorizations by the name of the server. */
  readonly tokens: { readonly hub: Set<string | undefined>; readonly storage: Set<string | undefined> };
  readonly storage: FileServer;
}

export async function startHub(): Promise<Hub> {
  const storage = await fileServer({ ...HUB_SHARDS, 'model.gguf': smallGguf(), 'raw.bin': HUB_RAW });
  const front = await fileServer({
    'org/sharded/resolve/main/model.safetensors.index.json': HUB_INDEX,
    'org/one/resolve/v1.0/model.safetensors': HUB_SHARDS['model-00001-of-00002.safetensors'],
    'org/one/resolve/refs/pr/1/model.safetensors': HUB_SHARDS['model-00002-of-00002.safetensors'],
  });
  const tokens = { hub: new Set<string | undefined>(), storage: new Set<string | undefined>() };
  const note = (set: Set<string | undefined>, { headers }: IncomingMessage) => set.add(headers.authorization);
  const xet = new XetStorage(storage, () => front.url);
  let signature = 1;
  // Another name of this machine is another origin, as is another port.
  const signed = (path: string) =>
    `${storage.url}signed/${path}?X-Amz-Expires=3600&X-Amz-Signature=${signature}`;
  front.before = async (request, response) => {
    note(tokens.hub, request);
    // Files that are no large ones are somewhere else, too, on the hub.
    if (request.url!.startsWith('/api/resolve-cache/')) {
      request.url = request.url!.slice('/api/resolve-cache'.length);
      return undefined;
    }
    const [path = '', name = ''] = /\/resolve\/main\/(?:files\/)?([^/]+)$/.exec(request.url!) ?? [];
    if (xet.answerAtHub(request, response, name)) return true;
    const bytes = storage.files.get(name);
    if (bytes !== undefined) {
      const linked = { 'x-linked-size': bytes.length, 'x-linked-etag': `"${name}"` };
      response.writeHead(302, { location: signed(name), ...linked, ...xet.headers(name) }).end();
    } else if (path !== '' && front.files.has(request.url!.slice(1)))
      response.writeHead(307, { location: `/api/resolve-cache${request.url}` }).end();
    else return undefined;
    return true;
  };
  storage.before = async (request, response) => {
    const [, path, given] = /^\/signed\/([^?]*)\?.*Signature=(\d+)$/.exec(request.url!) ?? [];
    if (xet.answerAtStorage(request, response, signed)) return true;
    note(tokens.storage, request);
    if (path === undefined) return undefined;
    request.url = `/${path}`;
    if (Number(given) === signature) return undefined;
    response.writeHead(403, { 'content-type': 'application/xml' });
    response.end('<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>');
    return true;
  };
  return {
    url: front.url,
    requests: front.requests,
    tokens,
    storage,
    xet,
    expireUrls: () => {
      signature += 1;
    },
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]();
      await storage[Symbol.asyncDispose]();
    },
  };
}
