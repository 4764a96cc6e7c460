/**
 * The process of the server, so that memory and handles of the other process are those of the library. The first part
 * of a path names the network and a seed, as in `/drops-17/wide/model.safetensors`.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FaultyServer, faultyServer } from '../helpers/faultyServer.js';
import { Random } from '../helpers/random.js';
import { type NetworkName, networkOf } from './networks.js';

export type ServerRequest =
  | { readonly kind: 'serve'; readonly files: ReadonlyMap<string, Uint8Array> }
  /** Closes connections without a request and says what is left; with `forget`, jobs of before send no more requests. */
  | { readonly kind: 'look'; readonly forget: boolean };

export interface ServerState {
  /** Only in the first reply. */
  readonly port?: number;
  readonly connections: number;
  readonly active: number;
  /** Requests so far, and those of them that were answered with a fault. */
  readonly requests: number;
  readonly faults: number;
  readonly sentBytes: number;
}

const files = new Map<string, FaultyServer>();
/** Responses to each job. */
const counts = new Map<string, number>();
let [requests, faults, sentBytes] = [0, 0, 0];

const server = createServer((request, response) => {
  requests += 1;
  const [, file] = partsOf(request.url!);
  const found = files.get(file);
  if (found === undefined) response.writeHead(404).end();
  else found.handle(request, response);
});

function partsOf(url: string): [job: string, file: string] {
  const [, job, file] = /^\/([^/]*)\/(.*)$/.exec(decodeURIComponent(url)) ?? ['', '', ''];
  return [job!, file!];
}

async function serve(all: ReadonlyMap<string, Uint8Array>): Promise<number> {
  for (const [name, bytes] of all) {
    const file = await faultyServer(bytes);
    file.fault = (_, request) => {
      const [job] = partsOf(request.url!);
      const [network, seed] = job.split('-') as [NetworkName, string];
      const n = counts.get(job) ?? 0;
      counts.set(job, n + 1);
      const { fault, changesEvery } = networkOf(network);
      file.etag = changesEvery === undefined ? '"1"' : `"${Math.floor(n / changesEvery)}"`;
      const chosen = fault?.(n, new Random(Number(seed) + n), bytes.length, name);
      if (chosen !== undefined) faults += 1;
      return chosen;
    };
    files.set(name, file);
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function look(forget: boolean): Promise<ServerState> {
  server.closeIdleConnections();
  const connections = await new Promise<number>((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );
  let active = 0;
  for (const file of files.values()) {
    active += file.active;
    sentBytes += file.sent;
    file.sent = 0;
    file.requests.length = 0;
  }
  if (forget) counts.clear();
  return { connections, active, requests, faults, sentBytes };
}

process.once('disconnect', () => process.exit());
process.on('message', async (request: ServerRequest) => {
  const port = request.kind === 'serve' ? { port: await serve(request.files) } : {};
  process.send!({
    ...port,
    ...(await look(request.kind === 'look' && request.forget)),
  } satisfies ServerState);
});
