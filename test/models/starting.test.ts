import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Model } from '../../models/model.js';
import { openModel } from '../../models/openModel.js';
import { openCache } from '../../sources/cache/cache.js';
import { type CacheStore, memoryStore } from '../../sources/cache/store.js';
import { FormatError, SourceError } from '../../src/errors.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { rejects } from '../helpers/assertions.js';
import { type FaultyServer, serverForEach } from '../helpers/faultyServer.js';
import { gatedSource } from '../helpers/gatedSource.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { tick, until } from '../helpers/streams.js';
import { TRAINED_FILES } from '../helpers/trained.js';

/** Opening a model asks for the first 64 KiB, and waits for no more of them than its header. */

const test = suite('models whose start is under way');

const START = 65536;
const QUALITY = 0.7;
/** Bytes that bring the quality, and more. */
const ENOUGH = 40_000;
let file: Uint8Array;
let headerSize: number;
let server: FaultyServer;

test.before(async () => {
  file = await modelFileOf(TRAINED_FILES.layers);
  headerSize = 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
});
serverForEach(
  test,
  () => file,
  (fresh) => {
    server = fresh;
  },
);

async function assertExact(model: Model): Promise<void> {
  const loaded = await model.load({ as: 'source' });
  await using whole = await openModel(file);
  for (const [name, { data }] of await whole.load({ as: 'source' })) {
    assert.ok(Buffer.from(viewBytes(loaded.get(name)!.data)).equals(viewBytes(data)), name);
  }
}

for (const kind of ['a source', 'a source of unknown size', 'a stream']) {
  test(`${kind} that has but a part of its start: open, loaded up to that, exact at the end`, async () => {
    const source = gatedSource(file, ENOUGH);
    const input = {
      'a source': source,
      'a source of unknown size': { ...source, size: undefined },
      'a stream': source.stream(),
    }[kind]!;
    await using model = await openModel(input);
    await model.load({ quality: QUALITY });
    assert.ok(model.quality >= QUALITY && model.quality < 1);
    source.open();
    await assertExact(model);
  });
}

/** Does not pass within a test. */
const FOR_EVER = 3_600_000;

test('a server that stops within the start: snapshots of what has come', async () => {
  server.fault = () => ({ stallAfter: ENOUGH });
  await using model = await openModel(server.url, { http: { idleTimeout: FOR_EVER } });
  const loading = model.load();
  for await (const { quality } of model.snapshots({ minGain: 0, minInterval: 0 })) {
    assert.ok(quality > 0);
    break;
  }
  assert.is(server.requests.length, 1);
  await model.close();
  await loading;
});

test('… and then the rest, from where it stopped', async () => {
  server.fault = (n) => (n === 0 ? { stallAfter: ENOUGH } : undefined);
  await using model = await openModel(server.url, { http: { retry: { delay: 0 }, idleTimeout: 200 } });
  await assertExact(model);
  const ranges = server.requests.map(({ range }) => range);
  assert.equal(ranges.slice(0, 2), [`bytes=0-${START - 1}`, `bytes=${ENOUGH}-${START - 1}`]);
});

test('a start that fails: the load says so, and the next one asks again', async () => {
  server.fault = (n) => (n === 0 ? { dropAfter: ENOUGH } : { status: 403 });
  await using model = await openModel(server.url, { http: { retry: false } });
  await rejects(model.load(), SourceError);
  server.fault = () => undefined;
  await assertExact(model);
});

test('the end of opening, by an error or a signal, ends the request of the start; so does closing', async () => {
  const http = { retry: { delay: 0 }, idleTimeout: FOR_EVER };
  const stalled = () => until(() => server.requests.at(-1)?.sent === headerSize - 1);
  server.fault = () => ({ stallAfter: headerSize - 1 });
  const abort = new AbortController();
  const opening = rejects(openModel(server.url, { http, signal: abort.signal }), Error, /enough/);
  await stalled();
  abort.abort(new Error('enough'));
  await opening;
  await until(() => server.active === 0);

  server.fault = () => ({ stallAfter: ENOUGH });
  server.bytes = new TextEncoder().encode('x'.repeat(2 * START));
  await rejects(openModel(server.url, { http }), FormatError);
  await until(() => server.active === 0);

  server.bytes = file;
  const model = await openModel(server.url, { http });
  assert.is(server.active, 1);
  await model.close();
  await until(() => server.active === 0);
});

test('what has come is in the cache when the model is closed', async () => {
  const store = memoryStore();
  const slow: CacheStore = {
    ...store,
    async write(...entry) {
      await tick(30);
      return store.write(...entry);
    },
  };
  server.bytes = await modelFileOf(modelOf([{ name: 'w', dtype: 'F32', shape: [10, 20] }]));
  for (const offline of [false, true]) {
    await using model = await openModel(server.url, { cache: openCache(slow), offline });
    assert.is((await model.load()).size, 1);
  }
});

test('a signal of openModel that is aborted after it has opened ends nothing', async () => {
  server.fault = (n) => (n === 0 ? { pause: 20 } : undefined);
  const abort = new AbortController();
  await using model = await openModel(server.url, { signal: abort.signal });
  abort.abort(new Error('too late'));
  await assertExact(model);
});

test.run();
