import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname, join } from 'node:path';

export interface ServeOptions {
  /** Bytes per second of each response; `?rate=` in a request sets another. Default: no limit. */
  readonly rate?: number | undefined;
  /** Breaks the connection once for each number n, when the server has sent n bytes of bodies. */
  readonly disconnectAt?: readonly number[] | undefined;
}

export interface FolderServer extends AsyncDisposable {
  /** Of the folder, with a slash at its end. */
  readonly url: string;
  /** Bytes of bodies sent so far. */
  readonly sent: number;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
  '.css': 'text/css; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
};

/** A web server for the files of one folder. It supports ranges and sends chunks of `chunkSize` bytes. */
export async function serveFolder(
  folder: string,
  chunkSize: number,
  { rate, disconnectAt = [] }: ServeOptions = {},
): Promise<FolderServer> {
  const breaks = [...disconnectAt];
  let sent = 0;
  const server = createServer((request, response) => {
    respond(request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else response.writeHead(404).end();
    });
  });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    // basename: a request cannot name anything outside the folder.
    const name = basename(decodeURIComponent(url.pathname)) || 'index.html';
    await using file = await open(join(folder, name));
    const { size } = await file.stat();
    const range = rangeOf(request, size);
    if (range.partial && range.start >= size) {
      response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
      return;
    }
    response.writeHead(range.partial ? 206 : 200, {
      'content-type': CONTENT_TYPES[extname(name)] ?? 'application/octet-stream',
      'content-length': range.end - range.start,
      ...(range.partial ? { 'content-range': `bytes ${range.start}-${range.end - 1}/${size}` } : {}),
    });
    const pace = pacer(Number(url.searchParams.get('rate')) || rate);
    for (let at = range.start; at < range.end && !response.destroyed; at += chunkSize) {
      const { buffer, bytesRead } = await file.read({
        buffer: Buffer.alloc(Math.min(chunkSize, range.end - at)),
        position: at,
      });
      await new Promise<void>((resolve) => response.write(buffer.subarray(0, bytesRead), () => resolve()));
      sent += bytesRead;
      if (breaks[0] !== undefined && sent >= breaks[0]) {
        breaks.shift();
        response.destroy();
        return;
      }
      await pace(bytesRead);
    }
    response.end();
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    get sent() {
      return sent;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Range {
  readonly partial: boolean;
  readonly start: number;
  readonly end: number;
}

/** One range, "bytes=5-9" or "bytes=5-"; the response to anything else is the whole file, as HTTP allows. */
function rangeOf(request: IncomingMessage, size: number): Range {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (first === undefined) return { partial: false, start: 0, end: size };
  return { partial: true, start: Number(first), end: last ? Math.min(Number(last) + 1, size) : size };
}

/** Waits until the time that the bytes so far take at this rate. */
function pacer(rate: number | undefined): (bytes: number) => Promise<void> {
  const started = performance.now();
  let passed = 0;
  return async (bytes) => {
    if (rate === undefined) return;
    passed += bytes;
    const wait = started + (1000 * passed) / rate - performance.now();
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
  };
}
