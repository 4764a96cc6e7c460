import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModel } from '../../models/directory/encodeModel.js';
import { modelFolder, modelFolderSink } from '../../models/directory/modelFolder.js';
import { openModel } from '../../models/openModel.js';
import { bytesSource } from '../../sources/bytes.js';
import type { HttpSourceOptions } from '../../sources/http/httpSource.js';
import { createLimiter } from '../../sources/limiter.js';
import {
  ChecksumError,
  FormatError,
  HolostreamError,
  SourceChangedError,
  SourceError,
} from '../../src/errors.js';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { rejects } from '../helpers/assertions.js';
import { checkPlannedBytes } from '../helpers/checks/plannedBytes.js';
import { type FaultyServer, serverForEach } from '../helpers/faultyServer.js';
import { fileServer } from '../helpers/fileServer.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { tick } from '../helpers/streams.js';
import { TRAINED_FILES } from '../helpers/trained.js';

const test = suite('models on servers');

const original = TRAINED_FILES.digits;
const http = { retry: { delay: 1, maxDelay: 5 } };
/** On a busy machine it may be over though nothing is wrong: another attempt is one more request, and one more at a time. */
const hasty = { ...http, idleTimeout: 300 };
let file: Uint8Array;
let server: FaultyServer;

test.before(async () => {
  file = await modelFileOf(original);
});
serverForEach(
  test,
  () => file,
  (fresh) => {
    server = fresh;
  },
);

async function assertWhole(url: string, options: HttpSourceOptions = http): Promise<void> {
  await using model = await openModel(url, { http: options });
  const loaded = await model.load();
  for (const { name, offset, byteLength } of parseSafetensorsHeader(original).tensors) {
    const data = viewBytes(loaded.get(name)!.data as Float32Array);
    assert.ok(Buffer.from(data).equals(original.subarray(offset, offset + byteLength)), name);
  }
}

test('each fault of server and network: the right tensors', async () => {
  const faults = [
    { dropAfter: 100_000 },
    { stallAfter: 50_000 },
    { status: 503, headers: { 'retry-after': '0' } },
    { ignoreRange: true },
    { chunked: true, endAfter: 70_000 },
    { redirect: '/elsewhere' },
    { silent: true },
  ];
  for (const fault of faults) {
    for (const request of [0, 1]) {
      server.requests.length = 0;
      server.fault = (n) => (n === request ? fault : undefined);
      await assertWhole(server.url, hasty);
    }
  }
});

test('what cannot be mended is a clear error, and the source is cancelled', async () => {
  const failing: [Parameters<typeof rejects>[1], Partial<FaultyServer>][] = [
    [SourceError, { fault: () => ({ status: 404 }) }],
    [HolostreamError, { fault: () => ({ garbage: true }) }],
    [ChecksumError, { fault: (n) => (n > 0 ? { garbage: true } : undefined) }],
  ];
  for (const [kind, change] of failing) {
    server.requests.length = 0;
    Object.assign(server, { fault: () => undefined }, change);
    await rejects(assertWhole(server.url), kind);
  }
});

test('a file that changes while it is loaded is noticed', async () => {
  server.fault = (n) => {
    if (n === 2) server.etag = '"2"';
    return n === 1 ? { dropAfter: 60_000 } : undefined;
  };
  await rejects(assertWhole(server.url), SourceChangedError);
});

test('100 disconnects: bit for bit, with hardly a byte above the file on the wire', async () => {
  const places = pseudoRandomBytes(200, 5);
  server.fault = (n) => (n < 100 ? { dropAfter: 1 + 20 * places[n]! } : undefined);
  await assertWhole(server.url);
  assert.ok(server.requests.length > 100);
  const overhead = server.sent / file.length - 1;
  assert.ok(overhead <= 0.01, `${(overhead * 100).toFixed(2)} % above the file`);
});

test('a quality costs at most what was planned and 5 %', () => checkPlannedBytes(server, file.length));

test('aborting a load ends its requests', async () => {
  server.fault = (n) => (n > 0 ? { stallAfter: 30_000 } : undefined);
  await using model = await openModel(server.url, { http });
  const abort = new AbortController();
  const loading = model.load({ signal: abort.signal });
  await tick(50);
  abort.abort(new Error('enough'));
  await rejects(loading, Error, /enough/);
});

test('two models share one limit of requests', async () => {
  const limiter = createLimiter(2);
  const models = await Promise.all(
    [1, 2, 3].map(() => openModel(server.url, { http: { ...http, limiter } })),
  );
  await Promise.all(models.map((model) => model.load({ quality: 0.9, strategy: 'quality' })));
  assert.ok(server.maxActive <= 2, `${server.maxActive} at a time`);
  for (const model of models) await model.close();
});

test('plain safetensors, sharded checkpoints and model directories open the same way', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holostream-'));
  const shard = TRAINED_FILES.layers;
  const files = new Map<string, Uint8Array>([
    ['model.safetensors', original],
    ['a.safetensors', original],
    ['b.safetensors', shard],
  ]);
  const places = [...parseSafetensorsHeader(original).tensors.map(({ name }) => [name, 'a.safetensors'])];
  places.push(...parseSafetensorsHeader(shard).tensors.map(({ name }) => [name, 'b.safetensors']));
  const index = JSON.stringify({ metadata: {}, weight_map: Object.fromEntries(places) });
  files.set('model.safetensors.index.json', new TextEncoder().encode(index));
  await using site = await fileServer(Object.fromEntries(files));
  try {
    await assertWhole(`${site.url}model.safetensors`);
    await assertWhole(`${site.url}model.safetensors.index.json`);
    const sink = await modelFolderSink(join(folder, 'model'));
    await encodeModel(bytesSource(original), sink.openFile);
    await sink.close();
    await using model = await openModel(modelFolder(join(folder, 'model')));
    assert.is(model.format, 'directory');
    const loaded = await model.load();
    const { name, offset, byteLength } = parseSafetensorsHeader(original).tensors[0]!;
    const expected = original.subarray(offset, offset + byteLength);
    assert.ok(Buffer.from(viewBytes(loaded.get(name)!.data as Float32Array)).equals(expected));
    const row = await model.rows('fc1.weight', 3, 4);
    assert.equal([row.shape, row.data.length], [[1, 784], 784]);
    site.files.set('bad.index.json', new TextEncoder().encode('{"weight_map":{"x":"../secret"}}'));
    await rejects(openModel(`${site.url}bad.index.json`, { http }), FormatError, /file name/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the URL of a list of files with a malformed escape is requested as it is', async () => {
  const requests: string[] = [];
  const fetchIndex = async (url: RequestInfo | URL) => {
    requests.push(String(url));
    return new Response('{"weight_map": {}}');
  };
  const model = await openModel('https://a.invalid/%.index.json', { http: { fetch: fetchIndex } });
  assert.is(model.tensors.length, 0);
  assert.equal(requests, ['https://a.invalid/%.index.json']);
});

test.run();
