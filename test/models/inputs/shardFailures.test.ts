import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel } from '../../../models/openModel.js';
import { FormatError, type HolostreamError, SourceError } from '../../../src/errors.js';
import { rejects } from '../../helpers/assertions.js';
import { modelOf } from '../../helpers/models.js';
import { until } from '../../helpers/streams.js';

const test = suite('shards that cannot be opened');

/** More than buffers between server and client hold: a response that nobody reads stays open. */
const shard = modelOf([{ name: 'a', dtype: 'U8', shape: [2 ** 24] }]);
const small = modelOf([{ name: 'b', dtype: 'U8', shape: [8] }]);

/** A server of shards that counts connections with a response under way. */
async function shardServer(files: Record<string, Uint8Array | undefined>, ranges: boolean) {
  const sockets = new Set<Socket>();
  const responses = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    responses.add(response);
    response.on('close', () => responses.delete(response));
    const bytes = files[(request.url ?? '').slice(1)];
    if (bytes === undefined) return void response.writeHead(404).end();
    const range = ranges ? /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') : null;
    const start = Number(range?.[1] ?? 0);
    const end = range?.[2] ? Math.min(Number(range[2]) + 1, bytes.length) : bytes.length;
    const place = { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` };
    const headers = { 'content-length': end - start, ...(range === null ? {} : place) };
    response.writeHead(range === null ? 200 : 206, headers).end(bytes.subarray(start, end));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.safetensors.index.json`,
    sockets,
    responses,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const indexOf = (map: Record<string, string>) => Buffer.from(JSON.stringify({ weight_map: map }));
const broken = new TextEncoder().encode('\x10\0\0\0\0\0\0\0{"a":   broken} ');

const failures: [
  string,
  new (...args: never[]) => HolostreamError,
  Record<string, Uint8Array | undefined>,
][] = [
  ['a later shard is missing', SourceError, { '3.safetensors': undefined }],
  ['a later shard is broken', FormatError, { '3.safetensors': broken }],
  ['a tensor is in no shard', FormatError, { '3.safetensors': modelOf([]) }],
];

for (const ranges of [true, false]) {
  for (const [name, kind, changed] of failures) {
    test(`${name}, ${ranges ? 'with' : 'without'} ranges: after 20 failures no connection is in use`, async () => {
      const files = { '1.safetensors': shard, '2.safetensors': shardOf('c'), '3.safetensors': small };
      const map = { a: '1.safetensors', c: '2.safetensors', b: '3.safetensors' };
      const index = { 'model.safetensors.index.json': indexOf(map) };
      await using server = await shardServer({ ...index, ...files, ...changed }, ranges);
      for (let i = 0; i < 20; i++) await rejects(openModel(server.url), kind);
      await until(() => server.responses.size === 0);
      assert.is(server.responses.size, 0, 'responses left open');
      // Connections without a request are the engine's, for the next one: at most what one opening takes.
      await until(() => server.sockets.size <= 4);
      assert.ok(server.sockets.size <= 4, `${server.sockets.size} connections`);
    });
  }
}

function shardOf(name: string): Uint8Array {
  return modelOf([{ name, dtype: 'U8', shape: [2 ** 23] }]);
}

test.run();
