import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel } from '../../../models/openModel.js';
import {
  bytesSource,
  httpSource,
  memoryStore,
  openCache,
  type SourceEvent,
  type WithCacheOptions,
  withCache,
} from '../../../sources/index.js';
import { ArgumentError, SourceChangedError, SourceError } from '../../../src/errors.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { rejects, throws } from '../../helpers/assertions.js';
import { type FaultyServer, serverForEach } from '../../helpers/faultyServer.js';
import { type FileServer, fileServer } from '../../helpers/fileServer.js';
import { modelFileOf } from '../../helpers/modelFiles.js';
import { modelOf } from '../../helpers/models.js';
import { pseudoRandomBytes } from '../../helpers/random.js';
import { collect } from '../../helpers/streams.js';
import { TRAINED_FILES } from '../../helpers/trained.js';

/** What is wholly in a cache needs no server. */

const bytes = pseudoRandomBytes(3_000_000);
let server: FaultyServer;

const test = suite('offline');

serverForEach(test, bytes, (fresh) => {
  server = fresh;
});

async function same(stream: ReadableStream<Uint8Array>, expected: Uint8Array): Promise<void> {
  assert.ok(Buffer.concat(await collect(stream)).equals(expected), 'bytes differ');
}

const cached = (
  cache: ReturnType<typeof openCache>,
  offline: WithCacheOptions['offline'],
  onEvent?: (event: SourceEvent) => void,
) => withCache(httpSource(server.url, { retry: false }), cache, { offline, onEvent });

test('offline: all that the cache has, and not one request', async () => {
  const store = memoryStore();
  await same(cached(openCache(store), false).stream(), bytes);
  const version = `${server.url}\n"1"\n${bytes.length}`;
  const before = server.requests.length;
  const source = cached(openCache(store), true);
  assert.equal(await source.read(1_000_000, 100), bytes.slice(1_000_000, 1_000_100));
  assert.is(source.size, bytes.length);
  assert.is(await source.version?.(), version);
  await same(source.stream(), bytes);
  assert.is(server.requests.length, before);
});

test('offline: what is missing is an error that says from where on', async () => {
  const cache = openCache(memoryStore());
  const unknown = await rejects(cached(cache, true).read(0, 10), SourceError, /Cannot read the file offline/);
  assert.is(unknown.retryable, false);
  await cached(cache, false).read(0, 1000);
  const source = cached(cache, true);
  assert.equal(await source.read(0, 1000), bytes.slice(0, 1000));
  const part = await rejects(source.read(500, 1000), SourceError, /does not have all of it/);
  assert.is(part.offset, 1000);
  assert.is(server.requests.length, 1);
});

test('fallback: a server that answers is asked, and what it has now counts', async () => {
  const cache = openCache(memoryStore());
  await same(cached(cache, 'fallback').stream(), bytes);
  server.bytes = bytes.map((byte) => byte ^ 1);
  server.etag = '"2"';
  await same(cached(cache, 'fallback').stream(), server.bytes);
  assert.equal(
    server.requests.map(({ range }) => range),
    ['bytes=0-', 'bytes=0-1', 'bytes=0-2999999'],
  );
  await same(cached(cache, true).stream(), server.bytes);
});

test('fallback: without a server, what the cache has; a refusal is no such case', async () => {
  const cache = openCache(memoryStore());
  await same(cached(cache, 'fallback').stream(), bytes);
  server.fault = () => ({ status: 404 });
  await rejects(cached(cache, 'fallback').read(0, 10), SourceError, /answered 404/);
  server.fault = () => ({ status: 503 });
  assert.equal(await cached(cache, 'fallback').read(0, 10), bytes.slice(0, 10));
  await server[Symbol.asyncDispose]();
  await same(cached(cache, 'fallback').stream(), bytes);
  await rejects(cached(cache, false).read(0, 10), SourceError, /request failed/);
  await rejects(cached(openCache(memoryStore()), 'fallback').read(0, 10), SourceError, /request failed/);
});

test('fallback: what is missing is fetched once the server is back, if the file is the same', async () => {
  const cache = openCache(memoryStore());
  await cached(cache, false).read(0, 1000);
  const gone = () => ({ dropAfter: 0, status: 503 });
  server.fault = gone;
  const source = cached(cache, 'fallback');
  assert.equal(await source.read(0, 1000), bytes.slice(0, 1000));
  await rejects(source.read(500, 1000), SourceError, /answered 503/);
  server.fault = () => undefined;
  assert.equal(await source.read(500, 1000), bytes.slice(500, 1500));

  server.fault = gone;
  const stale = cached(cache, 'fallback');
  await stale.read(0, 1000);
  server.fault = () => undefined;
  server.etag = '"2"';
  await rejects(stale.read(1000, 1000), SourceChangedError, /another version/);
});

test('a source without an id has nothing to be found by', () => {
  for (const offline of [true, 'fallback'] as const) {
    const make = () => withCache(bytesSource(bytes), openCache(memoryStore()), { offline });
    throws(make, ArgumentError, /offline.*no id/);
  }
});

/** As a page that waits for ever where it should not wait at all. */
const http = { retry: { delay: 3_600_000, maxDelay: 3_600_000 } };

async function load(url: string, options: Parameters<typeof openModel>[1]): Promise<Map<string, Uint8Array>> {
  await using model = await openModel(url, { http, ...options });
  const loaded = await model.load({ as: 'source' });
  return new Map(Array.from(loaded, ([name, { data }]) => [name, viewBytes(data)]));
}

function tensorsOf(...files: Uint8Array[]): Map<string, Uint8Array> {
  const all = files.flatMap((file) =>
    parseSafetensorsHeader(file).tensors.map(
      ({ name, offset, byteLength }) => [name, file.slice(offset, offset + byteLength)] as const,
    ),
  );
  return new Map(all);
}

function assertSameTensors(actual: Map<string, Uint8Array>, expected: Map<string, Uint8Array>): void {
  assert.is(actual.size, expected.size);
  for (const [name, data] of expected) assert.ok(Buffer.from(data).equals(actual.get(name)!), name);
}

test('models of one file and of shards: kept by the option cache, opened and loaded without the server', async () => {
  const shards = ['a', 'b'].map((name) => modelOf([{ name, dtype: 'F32', shape: [200, 200] }]));
  const index = JSON.stringify({ weight_map: { a: '1.safetensors', b: '2.safetensors' } });
  const site: FileServer = await fileServer({
    'plain.safetensors': TRAINED_FILES.layers,
    'encoded.safetensors': await modelFileOf(TRAINED_FILES.layers),
    'm.safetensors.index.json': new TextEncoder().encode(index),
    '1.safetensors': shards[0]!,
    '2.safetensors': shards[1]!,
  });
  const store = memoryStore();
  const models = {
    'plain.safetensors': tensorsOf(TRAINED_FILES.layers),
    'encoded.safetensors': tensorsOf(TRAINED_FILES.layers),
    'm.safetensors.index.json': tensorsOf(...shards),
  };
  for (const [name, expected] of Object.entries(models)) {
    assertSameTensors(await load(site.url + name, { cache: openCache(store) }), expected);
    const before = site.requests.length;
    assertSameTensors(await load(site.url + name, { cache: openCache(store) }), expected);
    const again = site.requests.slice(before);
    assert.ok(
      again.every((request) => request.endsWith('bytes=0-1')),
      `only versions are asked for: ${again}`,
    );
    assertSameTensors(await load(site.url + name, { cache: openCache(store), offline: true }), expected);
    assert.is(site.requests.length, before + again.length);
  }
  await site[Symbol.asyncDispose]();
  for (const [name, expected] of Object.entries(models)) {
    for (const offline of [true, 'fallback'] as const) {
      assertSameTensors(await load(site.url + name, { cache: openCache(store), offline }), expected);
    }
    const retry = { delay: 0, retries: 1 };
    const online = openModel(site.url + name, { http: { retry }, cache: openCache(store) });
    await rejects(online, SourceError, /request failed/);
  }
});

test('a model that the cache has not wholly opens offline, and says what it lacks', async () => {
  await using site = await fileServer({ 'm.safetensors': TRAINED_FILES.layers });
  const url = `${site.url}m.safetensors`;
  const cache = openCache(memoryStore());
  const opened = await openModel(url, { cache });
  assert.equal(
    site.requests,
    ['m.safetensors bytes=0-65535'],
    'with a new cache, too, opening is one request',
  );
  // The cache has all that has come when the model is closed, not before.
  await opened.close();
  await using offline = await openModel(url, { cache, offline: true });
  assert.is(offline.tensors.length, opened.tensors.length);
  await rejects(offline.load(), SourceError, /Cannot read the file offline/);
  assertSameTensors(await load(url, { cache }), tensorsOf(TRAINED_FILES.layers));
  await offline.load();
  assert.is(offline.quality, 1);
});

test('offline without a cache', async () => {
  await rejects(openModel(server.url, { offline: true }), ArgumentError, /option cache/);
  await rejects(openModel(server.url, { offline: 'fallback' }), ArgumentError, /option cache/);
});

test.run();
