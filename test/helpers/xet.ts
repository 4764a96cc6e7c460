import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FileServer } from './fileServer.js';

/** Bytes of a chunk, which xet compresses separately; here, they are stored as they are. */
const CHUNK = 65536;
const CHUNK_HEAD = 8;
/** What the storage of xet asks for in place of the token of the hub. */
const READ_TOKEN = 'cas-read-token';

/**
 * Files that are stored by Xet, as the hub of huggingface.co has them: clients that speak its protocol ask the storage for the chunks
 * of a range, others get the bytes from a bridge (https://huggingface.co/docs/xet).
 */
export class XetStorage {
  readonly #server: FileServer;
  /** Of the hub. */
  readonly #url: () => string;
  /** By the name of a file. */
  readonly #hashes = new Map<string, string>();
  readonly #sizes = new Map<string, number>();

  constructor(server: FileServer, url: () => string) {
    this.#server = server;
    this.#url = url;
  }

  store(name: string, bytes: Uint8Array): void {
    const hash = createHash('sha256').update(name).digest('hex');
    this.#hashes.set(name, hash);
    this.#sizes.set(hash, bytes.length);
    this.#server.files.set(name, bytes).set(`xorbs/${hash}`, chunksOf(bytes));
  }

  /** What the hub says of a file in its headers; nothing of those that are stored in another way. */
  headers(name: string): Record<string, string> {
    const hash = this.#hashes.get(name);
    if (hash === undefined) return {};
    const auth = `<${this.#url()}api/models/org/files/xet-read-token/main>; rel="xet-auth"`;
    const info = `<${this.#server.url}v1/reconstructions/${hash}>; rel="xet-reconstruction-info"`;
    return { 'x-xet-hash': hash, link: `${auth}, ${info}` };
  }

  /** Answers the requests of the protocol to the hub. */
  answerAtHub(request: IncomingMessage, response: ServerResponse, name: string | undefined): boolean {
    if (request.url!.startsWith('/api/models/org/files/xet-read-token/')) {
      const exp = Math.floor(Date.now() / 1000) + 3600;
      response.end(JSON.stringify({ accessToken: READ_TOKEN, casUrl: this.#server.url.slice(0, -1), exp }));
      return true;
    }
    const type = 'application/vnd.xet-fileinfo+json';
    const hash = name === undefined ? undefined : this.#hashes.get(name);
    if (hash === undefined || !request.headers.accept?.includes(type)) return false;
    const size = String(this.#sizes.get(hash));
    const headers = { 'content-type': type, 'x-linked-size': size, 'x-linked-etag': `"${hash}"` };
    response.writeHead(200, { ...headers, ...this.headers(name!) }).end('{}');
    return true;
  }

  /** Answers requests for the chunks of a range. @param signed the signed URL of a path */
  answerAtStorage(
    request: IncomingMessage,
    response: ServerResponse,
    signed: (path: string) => string,
  ): boolean {
    const hash = /^\/v2\/reconstructions\/(\w+)$/.exec(request.url!)?.[1];
    if (hash === undefined) return false;
    if (request.headers.authorization !== `Bearer ${READ_TOKEN}`) {
      response.writeHead(401).end();
      return true;
    }
    const [first = 0, last = 0] = request.headers.range!.match(/\d+/g)!.map(Number);
    const size = this.#sizes.get(hash)!;
    const chunks = { start: Math.floor(first / CHUNK), end: Math.floor(last / CHUNK) + 1 };
    const end = Math.min(chunks.end * CHUNK, size);
    const bytes = {
      start: chunks.start * (CHUNK + CHUNK_HEAD),
      end: end + chunks.end * CHUNK_HEAD - 1,
    };
    const term = { hash, unpacked_length: end - chunks.start * CHUNK, range: chunks };
    response.end(
      JSON.stringify({
        terms: [term],
        xorbs: { [hash]: [{ url: signed(`xorbs/${hash}`), ranges: [{ chunks, bytes }] }] },
        offset_into_first_range: first - chunks.start * CHUNK,
      }),
    );
    return true;
  }
}

/** A version (0), the stored length, how it is compressed (not), the length. */
function chunksOf(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const chunk = bytes.subarray(at, at + CHUNK);
    const length = [chunk.length & 0xff, (chunk.length >> 8) & 0xff, chunk.length >> 16];
    parts.push(Uint8Array.of(0, ...length, 0, ...length), chunk);
  }
  return new Uint8Array(Buffer.concat(parts));
}
