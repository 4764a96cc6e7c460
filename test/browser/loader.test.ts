import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel } from '../../models/openModel.js';
import { bytesSource } from '../../sources/bytes.js';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { BrowserTest } from '../helpers/browser.js';
import { HAS_OPFS } from '../helpers/engine.js';
import { type FaultyServer, faultyServer } from '../helpers/faultyServer.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { until } from '../helpers/streams.js';
import { TRAINED_FILES } from '../helpers/trained.js';

const test = suite('loading a model in a browser');

const script = `
  import { cacheApiStore, httpSource, openCache, openModel, opfsStore, withCache } from 'holostream';

  const stores = { cacheApi: cacheApiStore, opfs: opfsStore };
  const open = async (url, kind) => {
    if (kind === undefined) return openModel(url, { http: { retry: { delay: 1 } } });
    return openModel(withCache(httpSource(url), openCache(await stores[kind]('models'), { maxSize: 1e9 })));
  };
  globalThis.run = {
    async load(url, kind) {
      const model = await open(url, kind);
      const loaded = await model.load();
      await model.close();
      const bytes = await new Blob([...loaded.values()].map(({ data }) => data)).arrayBuffer();
      const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
    },
    async verified(url, integrity) {
      const model = await openModel(url, { integrity });
      return model.load().then(({ size }) => size, ({ name, message }) => name + message);
    },
    // Relative to the page, and with a cache of its own.
    async relative(url, options) {
      const cache = openCache(await cacheApiStore('relative'));
      const model = await openModel(url, { cache, ...options });
      const loaded = await model.load({ as: 'source' });
      // What was asked for with the header is in the cache by then.
      await model.close();
      return [...loaded].map(([name, { data }]) => [name, data.length]);
    },
    async quality(url) {
      const model = await open(url);
      const seen = [];
      model.progress$.subscribe(({ quality }) => seen.push(quality));
      await model.load({ quality: 0.9 });
      return [model.quality, seen.length];
    },
    async abort(url) {
      const model = await open(url);
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 100);
      return model.load({ signal: controller.signal }).then(() => 'loaded', (error) => error.name);
    },
  };
  globalThis.ready = true;
`;

const original = TRAINED_FILES.digits;
let browser: BrowserTest;
let server: FaultyServer;
let file: Uint8Array;
let sha256: string;

test.before(async () => {
  const { tensors } = parseSafetensorsHeader(original);
  const data = tensors.map(({ offset, byteLength }) => original.slice(offset, offset + byteLength));
  const hash = await crypto.subtle.digest('SHA-256', await new Blob(data).arrayBuffer());
  sha256 = Buffer.from(hash).toString('hex');
  file = await modelFileOf(original);
  server = await faultyServer(file);
  browser = await BrowserTest.open(script, (request, response) => server.handle(request, response));
});
test.before.each(() => {
  server.requests.length = 0;
  server.fault = () => undefined;
});
test.after(async () => {
  await browser.close();
  await server[Symbol.asyncDispose]();
});

test('whole, over a connection that breaks twice', async () => {
  server.fault = (n) => (n === 1 || n === 2 ? { dropAfter: 100_000 } : undefined);
  assert.is(await browser.tab.evaluate(`run.load('/model')`), sha256);
  assert.is(server.requests.length, 4);
});

test('to a quality, with progress', async () => {
  const [quality, steps] = (await browser.tab.evaluate(`run.quality('/model')`)) as [number, number];
  await using model = await openModel(bytesSource(file));
  await model.load({ quality: 0.9 });
  assert.is(quality, model.quality);
  assert.ok(quality >= 0.9 && quality < 1, `${quality}`);
  assert.ok(steps > 2, `${steps} steps`);
});

for (const kind of HAS_OPFS ? ['cacheApi', 'opfs'] : ['cacheApi']) {
  test(`${kind}: the second time, hardly anything is fetched; two tabs at once get it right`, async () => {
    assert.is(await browser.tab.evaluate(`run.load('/${kind}', '${kind}')`), sha256);
    const first = server.requests.reduce((sum, { sent }) => sum + sent, 0);
    server.requests.length = 0;
    assert.is(await browser.tab.evaluate(`run.load('/${kind}', '${kind}')`), sha256);
    const second = server.requests.reduce((sum, { sent }) => sum + sent, 0);
    assert.ok(second < first / 100, `${first} bytes, then ${second}`);

    const tab = await browser.openTab();
    const call = `run.load('/two-tabs-${kind}', '${kind}')`;
    assert.equal(await Promise.all([browser.tab.evaluate(call), tab.evaluate(call)]), [sha256, sha256]);
    await tab.close();
  });
}

test('a SHA-256 is verified', async () => {
  server.bytes = original;
  const hash = createHash('sha256').update(original).digest('hex');
  const tensors = parseSafetensorsHeader(original).tensors.length;
  assert.is(await browser.tab.evaluate(`run.verified('/plain', '${hash}')`), tensors);
  const other = hash.replaceAll('0', '1');
  assert.match(String(await browser.tab.evaluate(`run.verified('/plain', '${other}')`)), /SHA-256/);
  server.bytes = file;
});

test('a relative URL of shards is relative to the page; what is cached opens without the server', async () => {
  const shard = modelOf([{ name: 'w', dtype: 'F32', shape: [10, 20] }]);
  const index = new TextEncoder().encode(JSON.stringify({ weight_map: { w: 'model-1.safetensors' } }));
  const files = new Map([
    ['/models/deep/index.json', index],
    ['/models/deep/model-1.safetensors', shard],
  ]);
  server.fault = (_, { url }) => {
    const bytes = files.get(url!);
    if (bytes === undefined) return { status: 404 };
    server.bytes = bytes;
    return undefined;
  };
  const call = (options: string) => browser.tab.evaluate(`run.relative('deep/index.json', ${options})`);
  await browser.tab.evaluate(`history.replaceState(null, '', '/models/page')`);
  assert.equal(await call('{}'), [['w', 200]]);
  assert.equal(
    server.requests.map(({ path }) => path),
    ['/models/deep/index.json', '/models/deep/model-1.safetensors'],
  );
  server.fault = () => ({ status: 503 });
  for (const offline of ['true', "'fallback'"]) {
    assert.equal(await call(`{ offline: ${offline} }`), [['w', 200]]);
  }
  server.bytes = file;
});

test('an abort ends the request', async () => {
  server.fault = (n) => (n > 0 ? { stallAfter: 100_000 } : undefined);
  assert.is(await browser.tab.evaluate(`run.abort('/model')`), 'AbortError');
  await until(() => server.active === 0);
  assert.is(server.active, 0);
});

test.run();
