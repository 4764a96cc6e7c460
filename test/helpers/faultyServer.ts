import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { afterEach } from './afterEach.js';
import { tick, until } from './streams.js';

/** What goes wrong with one answer. Without any, the server answers ranges as it should. */
export interface Fault {
  /** Cuts the connection after this many bytes of the body. */
  readonly dropAfter?: number;
  /** Sends nothing more, and leaves the connection open, after this many bytes of the body. */
  readonly stallAfter?: number;
  /** Answers with this status and a short text, and these headers. */
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Ignores the range: 200 and the whole file. */
  readonly ignoreRange?: boolean;
  /** Content-Range as given (undefined leaves it out with `null`). */
  readonly contentRange?: string | null;
  /** Answers with at most this many bytes of the range, and says so in Content-Range. */
  readonly cap?: number;
  /** Answers with the blocks of this size that the range is in, and says so in Content-Range. */
  readonly align?: number;
  /** Content-Range does not say how large the file is; a range behind its end gets no Content-Range at all. */
  readonly unknownSize?: boolean;
  /** Announces no length: chunked transfer. */
  readonly chunked?: boolean;
  /** Sends the last bytes never: ends the body cleanly after this many (needs `chunked`). */
  readonly endAfter?: number;
  /** Answers nothing at all. */
  readonly silent?: boolean;
  /** Sends the whole file compressed, whatever was asked for. */
  readonly gzip?: boolean;
  /** Sends bytes that are not the file's. */
  readonly garbage?: boolean;
  /** Sends the file with the lowest bit of the byte at this offset flipped. */
  readonly flip?: number;
  /** Waits this many milliseconds before each 16 KiB. */
  readonly pause?: number;
  /** Redirects to this path of the same server. */
  readonly redirect?: string;
}

export interface FaultyServer extends AsyncDisposable {
  readonly url: string;
  /** One entry for each request: what it asked for, and what became of it. */
  readonly requests: RequestLog[];
  /** Connections made so far. */
  connections: number;
  /** Requests that are being answered now, and the most that ever were. */
  active: number;
  maxActive: number;
  /** Bytes that went out on all connections, heads included. */
  readonly wire: number;
  /** Bytes of bodies sent so far. */
  sent: number;
  /** The file; may be changed while running. */
  bytes: Uint8Array;
  etag: string | undefined;
  lastModified: string | undefined;
  /** Answers a request as this server does, for another server that has it as a part. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Chooses the fault of the n-th request, counted from 0. */
  fault: (n: number, request: IncomingMessage) => Fault | undefined;
}

export interface RequestLog {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  status: number;
  sent: number;
  /** The client went away before the answer was complete. */
  aborted: boolean;
}

/** Gives each test of a suite a server of its own, which serves this file. No test may leave requests open. */
export function serverForEach(
  test: Test,
  file: Uint8Array | (() => Uint8Array),
  use: (server: FaultyServer) => void,
): void {
  let server: FaultyServer;
  test.before.each(async () => {
    server = await faultyServer(typeof file === 'function' ? file() : file);
    use(server);
  });
  afterEach(test, async () => {
    await until(() => server.active === 0);
    const left = server.active;
    await server[Symbol.asyncDispose]();
    assert.is(left, 0, 'requests left open');
  });
}

/** Bytes that are written to the socket at a time. */
const PIECE = 16384;

/** A real HTTP server on a free local port that serves one file, and goes wrong as told. */
export async function faultyServer(bytes: Uint8Array): Promise<FaultyServer> {
  const handle = (request: IncomingMessage, response: ServerResponse) => void answer(request, response);
  const server: Server = createServer(handle);
  const sockets: Socket[] = [];
  server.on('connection', (socket) => {
    state.connections += 1;
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const state: FaultyServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`,
    requests: [],
    connections: 0,
    active: 0,
    maxActive: 0,
    get wire() {
      return sockets.reduce((sum, socket) => sum + socket.bytesWritten, 0);
    },
    sent: 0,
    bytes,
    etag: '"1"',
    lastModified: undefined,
    handle,
    fault: () => undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return state;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = state.fault(state.requests.length, request) ?? {};
    let file = state.bytes;
    if (fault.garbage) file = file.map((byte) => byte ^ 0x55);
    if (fault.flip !== undefined) file = file.map((byte, i) => (i === fault.flip ? byte ^ 1 : byte));
    if (fault.gzip) file = gzipSync(file);
    const { range, 'if-range': ifRange } = request.headers as Record<string, string | undefined>;
    const log: RequestLog = {
      method: request.method ?? '',
      path: request.url ?? '',
      range,
      ifRange,
      status: 0,
      sent: 0,
      aborted: false,
    };
    state.requests.push(log);
    state.active += 1;
    state.maxActive = Math.max(state.maxActive, state.active);
    const gone = new AbortController();
    response.on('close', () => {
      gone.abort();
      state.active -= 1;
      log.aborted = !response.writableFinished;
    });
    if (fault.silent) return;
    for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value);
    if (fault.redirect !== undefined) response.setHeader('location', fault.redirect);
    const status = fault.status ?? (fault.redirect === undefined ? undefined : 302);
    if (status !== undefined) {
      log.status = status;
      response.writeHead(status).end(`this is ${status}`);
      return;
    }
    if (fault.gzip) response.setHeader('content-encoding', 'gzip');
    if (state.etag !== undefined) response.setHeader('etag', state.etag);
    if (state.lastModified !== undefined) response.setHeader('last-modified', state.lastModified);
    const match = /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
    const fresh = ifRange === undefined || ifRange === state.etag || ifRange === state.lastModified;
    let [start, end] = [0, file.length];
    log.status = 200;
    if (match !== null && fresh && !fault.ignoreRange && !fault.gzip) {
      start = Number(match[1]);
      end = match[2] === '' ? file.length : Number(match[2]) + 1;
      if (fault.align !== undefined && start < file.length) {
        start -= start % fault.align;
        end = Math.ceil(end / fault.align) * fault.align;
      }
      end = Math.min(file.length, end, start + (fault.cap ?? Infinity));
      log.status = start < file.length ? 206 : 416;
      const what = start < file.length ? `${start}-${end - 1}` : '*';
      if (start >= file.length) [start, end] = [0, 0];
      const size = fault.unknownSize ? '*' : file.length;
      const contentRange = fault.contentRange === undefined ? `bytes ${what}/${size}` : fault.contentRange;
      if (contentRange !== null && contentRange !== 'bytes */*')
        response.setHeader('content-range', contentRange);
    }
    if (!fault.chunked) response.setHeader('content-length', end - start);
    response.writeHead(log.status);
    const { dropAfter = Infinity, stallAfter = Infinity, endAfter = Infinity } = fault;
    const last = Math.min(end, start + Math.min(dropAfter, stallAfter, endAfter));
    for (let at = start; at < last && !response.destroyed; at += PIECE) {
      if (fault.pause !== undefined) await tick(fault.pause);
      const piece = file.subarray(at, Math.min(at + PIECE, last));
      log.sent += piece.length;
      state.sent += piece.length;
      const room = response.write(piece);
      if (!room) await once(response, 'drain', { signal: gone.signal }).catch(() => {});
    }
    if (last < end && dropAfter !== Infinity) {
      // Reset only what has been sent: the bytes before the break are to arrive.
      await new Promise<void>((resolve) => response.write('', () => resolve()));
      response.destroy();
    } else if (last === end || endAfter !== Infinity) response.end();
  }
}
