import type { IncomingMessage } from 'node:http';
import { type FileServer, fileServer } from './fileServer.js';
import { smallGguf } from './ggufFiles.js';
import { modelOf } from './models.js';

export const HUB_SHARDS = {
  'model-00001-of-00002.safetensors': modelOf([{ name: 'a', dtype: 'F32', shape: [40, 50] }]),
  'model-00002-of-00002.safetensors': modelOf([{ name: 'b', dtype: 'BF16', shape: [40, 50] }]),
};
const [first, second] = Object.keys(HUB_SHARDS);
export const HUB_INDEX = new TextEncoder().encode(JSON.stringify({ weight_map: { a: first, b: second } }));

export const HUB_RAW = new Uint8Array(Float32Array.from({ length: 600 }, (_, i) => Math.sin(i)).buffer);

/** A stand-in of the hub: small files are its own, large ones are on a server of another origin. */
export interface Hub extends AsyncDisposable {
  readonly url: string;
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
  front.before = async (request, response) => {
    note(tokens.hub, request);
    const name = /\/resolve\/main\/(?:files\/)?([^/]+)$/.exec(request.url!)?.[1];
    if (name === undefined || !storage.files.has(name)) return undefined;
    // Another name of this machine is another origin, as is another port.
    response.writeHead(302, { location: `${storage.url}${name}` }).end();
    return true;
  };
  storage.before = async (request) => {
    note(tokens.storage, request);
    return undefined;
  };
  return {
    url: front.url,
    tokens,
    storage,
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]();
      await storage[Symbol.asyncDispose]();
    },
  };
}
