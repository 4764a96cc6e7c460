import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cacheApiStore, openCache, type SourceEvent } from '../../../sources/index.js';
import { pseudoRandomBytes } from '../../helpers/random.js';

/** A Cache API that ignores the options of its methods, as Deno's does (2.9). Browsers are in test/browser. */
class FakeCache {
  readonly entries = new Map<string, { readonly request: Request; readonly response: Response }>();

  async match(url: string): Promise<Response | undefined> {
    return this.entries.get(url)?.response.clone();
  }

  async put(request: Request, response: Response): Promise<void> {
    this.entries.set(request.url, { request, response });
  }

  async delete(request: string | Request): Promise<boolean> {
    return this.entries.delete(typeof request === 'string' ? request : request.url);
  }

  async keys(): Promise<Request[]> {
    return Array.from(this.entries.values(), ({ request }) => request);
  }
}

const test = suite('cacheApiStore');
const engine = globalThis as { caches?: unknown };
let fake: FakeCache;

test.before.each(() => {
  fake = new FakeCache();
  engine.caches = { open: async () => fake };
});
test.after(() => {
  delete engine.caches;
});

test('keeps, lists, replaces and deletes entries, whatever becomes of options', async () => {
  const store = await cacheApiStore('models');
  const start = Date.now();
  await store.write('a', new Uint8Array([1, 2, 3]));
  await store.write('b', new Uint8Array(10));
  await store.write('a', new Uint8Array([4, 5, 6, 7]));
  assert.equal(await store.read('a'), new Uint8Array([4, 5, 6, 7]));
  assert.is(await store.read('c'), undefined);
  const listed = (await store.list()).sort((one, other) => (one.name < other.name ? -1 : 1));
  assert.equal(
    listed.map(({ name, size }) => [name, size]),
    [
      ['a', 4],
      ['b', 10],
    ],
  );
  for (const { used } of listed) assert.ok(used >= start && used <= Date.now());
  await store.delete('a');
  assert.is(await store.read('a'), undefined);
  assert.is(fake.entries.size, 1);
});

test('a cache over it keeps parts for the next one', async () => {
  const events: SourceEvent[] = [];
  const open = async () =>
    openCache(await cacheApiStore('models'), { onEvent: (event) => events.push(event) });
  const bytes = pseudoRandomBytes(1000);
  await (await open()).put('v', { start: 0, end: 1000 }, bytes);
  assert.equal(await (await open()).get('v', { start: 0, end: 1000 }), bytes);
  assert.equal(events, []);
});

test('entries of version 0.1.0, which had their size in the URL, are removed', async () => {
  const url = 'https://holostream.invalid/a?size=3&time=1';
  await fake.put(new Request(url), new Response('abc'));
  const store = await cacheApiStore('models');
  assert.equal(await store.list(), []);
  assert.is(fake.entries.size, 0);
});

test.run();
