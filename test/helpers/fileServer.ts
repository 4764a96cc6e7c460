import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FileServer extends AsyncDisposable {
  /** Of the folder. */
  readonly url: string;
  /** Files by their names; may be changed while running. */
  readonly files: Map<string, Uint8Array>;
  /** What was asked for: "name range", in the order of arrival. */
  readonly requests: string[];
  /** Connections made so far. */
  readonly connections: number;
  /** Requests that are being answered now, and the most that ever were. */
  readonly active: number;
  readonly maxActive: number;
  /** Bytes of bodies sent. */
  readonly sent: number;
  /** Called for each request, whose URL it may change; the answer waits for it. True: it has answered. */
  before: (request: IncomingMessage, response: ServerResponse) => Promise<boolean | undefined>;
  /** Closes connections that are kept without a request. */
  closeIdle(): void;
}

/** A real HTTP server on a free local port that serves the files of a folder, and ranges of them. */
export async function fileServer(files: Record<string, Uint8Array>): Promise<FileServer> {
  const state = { requests: [] as string[], connections: 0, active: 0, maxActive: 0, sent: 0 };
  const server = createServer((request, response) => void answer(request, response));
  server.on('connection', () => {
    state.connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const result: FileServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    files: new Map(Object.entries(files)),
    requests: state.requests,
    get connections() {
      return state.connections;
    },
    get active() {
      return state.active;
    },
    get maxActive() {
      return state.maxActive;
    },
    get sent() {
      return state.sent;
    },
    before: async () => undefined,
    closeIdle: () => server.closeIdleConnections(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return result;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const nameOf = () => decodeURIComponent(request.url!.slice(1));
    state.requests.push(`${nameOf()} ${request.headers.range ?? ''}`.trim());
    state.active += 1;
    state.maxActive = Math.max(state.maxActive, state.active);
    response.on('close', () => {
      state.active -= 1;
    });
    if (await result.before(request, response)) return;
    const name = nameOf();
    const bytes = result.files.get(name);
    if (bytes === undefined) return void response.writeHead(404).end();
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const start = Number(range?.[1] ?? 0);
    const end = range?.[2] ? Math.min(Number(range[2]) + 1, bytes.length) : bytes.length;
    response.writeHead(range === null ? 200 : 206, {
      etag: `"${name.length}-${bytes.length}"`,
      'content-length': end - start,
      ...(range !== null && { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` }),
    });
    state.sent += end - start;
    response.end(bytes.subarray(start, end));
  }
}
