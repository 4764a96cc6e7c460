import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openEntry, sealEntry } from '../../../sources/cache/entry.js';
import { Extents } from '../../../sources/cache/extents.js';
import { type CacheStore, memoryStore, openCache, type SourceEvent } from '../../../sources/index.js';
import { xxh3 } from '../../../src/kernels/xxh3/checksum.js';
import { pseudoRandomBytes } from '../../helpers/random.js';
import { tick } from '../../helpers/streams.js';

const test = suite('cache');

const range = (start: number, end: number) => ({ start, end });

test('an entry that was cut, damaged or belongs to another key is recognised', () => {
  const payload = pseudoRandomBytes(40);
  const sealed = sealEntry('a key: ü', payload, xxh3);
  assert.equal(openEntry('a key: ü', sealed, xxh3), payload);
  assert.is(openEntry('a key: u', sealed, xxh3), undefined);
  for (let length = 0; length < sealed.length; length++) {
    assert.is(openEntry('a key: ü', sealed.subarray(0, length), xxh3), undefined);
  }
  // Four bytes of the trailer are spare.
  const spare = sealed.length - 28;
  for (let at = 0; at < sealed.length; at++) {
    if (at >= spare && at < spare + 4) continue;
    for (let bit = 0; bit < 8; bit++) {
      const damaged = sealed.slice();
      damaged[at]! ^= 1 << bit;
      assert.is(openEntry('a key: ü', damaged, xxh3), undefined, `bit ${bit} of byte ${at}`);
    }
  }
  assert.equal(openEntry('', sealEntry('', new Uint8Array(0), xxh3), xxh3), new Uint8Array(0));
});

test('extents find what holds a byte and where the next begins', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(8), fc.integer({ min: 1, max: 8 }))), fc.nat(12), (steps, drop) => {
      const extents = new Extents();
      const kept: { start: number; end: number }[] = [];
      let at = 0;
      for (const [gap, length] of steps) {
        kept.push(range(at + gap, at + gap + length));
        at += gap + length;
      }
      // Added in an order of their own, and one taken away again.
      for (const one of kept.toSorted((a, b) => (a.start % 7) - (b.start % 7))) extents.add(one);
      const [dropped] = kept.splice(drop, 1);
      if (dropped !== undefined) extents.delete(dropped);
      for (let position = 0; position < at + 2; position++) {
        assert.equal(
          extents.at(position),
          kept.find(({ start, end }) => start <= position && position < end),
        );
        assert.is(extents.nextStart(position), kept.find(({ start }) => start > position)?.start);
      }
    }),
  );
  const overlapping = new Extents();
  for (const one of [range(0, 10), range(5, 6), range(5, 20)]) overlapping.add(one);
  assert.equal(overlapping.at(7)?.start, 0);
  assert.equal(overlapping.at(15), range(5, 20));
});

/** A store of which one method always fails, and what was written to it. */
function broken(method: keyof CacheStore) {
  const written: string[] = [];
  const { write, ...others } = memoryStore();
  const fail = async (): Promise<never> => {
    throw new DOMException('no room', 'QuotaExceededError');
  };
  const store: CacheStore = {
    ...others,
    async write(name, bytes) {
      written.push(name);
      await write(name, bytes);
    },
    [method]: fail,
  };
  return { store, written };
}

test('keeps parts under the version of their file, also for the next cache over the store', async () => {
  const store = memoryStore();
  const bytes = pseudoRandomBytes(100);
  await openCache(store).put('v1', range(50, 150), bytes);
  const cache = openCache(store);
  assert.equal((await cache.extents('v1')).at(100), range(50, 150));
  assert.is((await cache.extents('v2')).at(100), undefined);
  assert.equal(await cache.get('v1', range(50, 150)), bytes);
  assert.is(await cache.get('v2', range(50, 150)), undefined);
  assert.is(await cache.get('v1', range(50, 149)), undefined);
});

test('the entry used longest ago goes first, one by one', async () => {
  const store = memoryStore();
  const events: SourceEvent[] = [];
  const cache = openCache(store, { maxSize: 500, onEvent: (event) => events.push(event) });
  const put = (i: number) => cache.put('v', range(i * 100, i * 100 + 100), pseudoRandomBytes(100, i));
  for (const i of [0, 1, 2]) await put(i);
  await cache.get('v', range(0, 100));
  await put(3);
  const extents = await cache.extents('v');
  assert.equal(
    [0, 100, 200, 300].map((at) => extents.at(at) !== undefined),
    [true, false, true, true],
  );
  assert.equal(
    events.map(({ type }) => type),
    ['cache-evict'],
  );
  const sizes = (await store.list()).map(({ size }) => size);
  assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= 500);
  await cache.put('v', range(1000, 2000), new Uint8Array(1000));
  assert.is((await store.list()).length, 3, 'what is larger than the whole cache is not kept');
});

test('caches of several processes over one store keep to the same size, and find what the others have stored', async () => {
  const maxSize = 64_000;
  const places = fc.record({ cache: fc.nat(3), part: fc.nat(400), size: fc.integer({ min: 1, max: 1500 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(places, { minLength: 300, maxLength: 600 }), async (puts) => {
      const store = memoryStore();
      const caches = Array.from({ length: 4 }, () => openCache(store, { maxSize }));
      // All of them have seen the empty store.
      for (const cache of caches) await cache.extents('v');
      for (const { cache, part, size } of puts) {
        await caches[cache]!.put('v', range(2000 * part, 2000 * part + size), new Uint8Array(size));
        const total = (await store.list()).reduce((sum, entry) => sum + entry.size, 0);
        assert.ok(total <= maxSize * (1 + 3 / 16), `${total} bytes`);
      }
    }),
    { numRuns: 10 },
  );
  const store = memoryStore();
  const [one, other] = [openCache(store, { maxSize }), openCache(store, { maxSize })];
  const extents = await one!.extents('v');
  await other!.put('v', range(0, 100), pseudoRandomBytes(100));
  assert.is(extents.at(50), undefined);
  for (let part = 1; part < 50; part++)
    await one!.put('v', range(2000 * part, 2000 * part + 1000), new Uint8Array(1000));
  assert.equal(extents.at(50), range(0, 100));
  assert.equal(await one!.get('v', range(0, 100)), pseudoRandomBytes(100));
});

test('parts that are stored at the same time keep to the size together', async () => {
  const store = memoryStore();
  let most = 0;
  const slow: CacheStore = {
    ...store,
    async write(name, bytes) {
      await tick();
      await store.write(name, bytes);
      const sizes = (await store.list()).map(({ size }) => size);
      most = Math.max(
        most,
        sizes.reduce((sum, size) => sum + size, 0),
      );
    },
  };
  const cache = openCache(slow, { maxSize: 1000 });
  const parts = Array.from({ length: 20 }, (_, i) => range(1000 * i, 1000 * i + 200));
  await Promise.all(parts.map((part) => cache.put('v', part, new Uint8Array(200))));
  assert.ok(most > 500 && most <= 1000, `${most} bytes`);
});

test('a damaged entry is dropped', async () => {
  const store = memoryStore();
  const events: SourceEvent[] = [];
  const cache = openCache(store, { onEvent: (event) => events.push(event) });
  await cache.put('v', range(0, 100), pseudoRandomBytes(100));
  const { name } = (await store.list())[0]!;
  const damaged = (await store.read(name))! as Uint8Array<ArrayBuffer>;
  damaged[7]! ^= 1;
  await store.write(name, damaged);
  assert.is(await cache.get('v', range(0, 100)), undefined);
  assert.equal(events, [{ type: 'cache-drop', name }]);
  assert.equal(await store.list(), []);
  assert.is((await cache.extents('v')).at(0), undefined);
});

test('a store that fails is lived without: it is said once, and nothing more is written', async () => {
  const writes = { list: 0, read: 1, write: 0, delete: 1 };
  for (const [method, expected] of Object.entries(writes)) {
    const events: SourceEvent[] = [];
    const { store, written } = broken(method as keyof CacheStore);
    const cache = openCache(store, { maxSize: 300, onEvent: (event) => events.push(event) });
    for (let i = 0; i < 5; i++) {
      await cache.put('v', range(i * 100, i * 100 + 100), pseudoRandomBytes(100, i));
      await cache.noteFile('id', { version: 'v', size: i });
    }
    const got = await cache.get('v', range(0, 100));
    assert.equal(got, method === 'delete' ? pseudoRandomBytes(100, 0) : undefined, method);
    assert.equal(
      events.map(({ type }) => type),
      ['cache-failure'],
      method,
    );
    const [event] = events;
    assert.is(event?.type === 'cache-failure' && (event.error as Error).name, 'QuotaExceededError');
    assert.is(written.filter((name) => !name.endsWith('file')).length, expected, method);
  }
});

test('a store that does not give back what it is given: it is said once, and nothing is left in it', async () => {
  const forgetful: CacheStore = { ...memoryStore(), read: async () => undefined };
  const inventive: CacheStore = { ...memoryStore(), read: async () => pseudoRandomBytes(100) };
  for (const store of [forgetful, inventive]) {
    const events: SourceEvent[] = [];
    const cache = openCache(store, { onEvent: (event) => events.push(event) });
    for (let i = 0; i < 5; i++) {
      await cache.put('v', range(i * 100, i * 100 + 100), pseudoRandomBytes(100, i));
    }
    assert.is(events.length, 1);
    const [event] = events;
    assert.match(event?.type === 'cache-failure' ? String(event.error) : '', /does not give back/);
    assert.equal(await store.list(), []);
    assert.is((await cache.extents('v')).at(0), undefined);
  }
});

test('an entry that another process deletes at once is no reason to give up', async () => {
  const { read, ...others } = memoryStore();
  let reads = 0;
  const store: CacheStore = { ...others, read: async (name) => (reads++ < 2 ? undefined : read(name)) };
  const events: SourceEvent[] = [];
  const cache = openCache(store, { onEvent: (event) => events.push(event) });
  for (let i = 0; i < 5; i++) await cache.put('v', range(i * 100, i * 100 + 100), pseudoRandomBytes(100, i));
  assert.equal(events, []);
  assert.equal(await cache.get('v', range(200, 300)), pseudoRandomBytes(100, 2));
});

test('notes of files: the latest one counts, also for the next cache over the store', async () => {
  const store = memoryStore();
  const cache = openCache(store);
  assert.is(await cache.file('a'), undefined);
  await cache.noteFile('a', { version: 'v1', size: 10 });
  await cache.noteFile('b', { version: 'v9', size: 90 });
  await cache.noteFile('a', { version: 'v2', size: 20 });
  for (const one of [cache, openCache(store)]) {
    assert.equal(await one.file('a'), { version: 'v2', size: 20 });
    assert.equal(await one.file('b'), { version: 'v9', size: 90 });
  }
  const { name } = (await store.list())[0]!;
  const damaged = (await store.read(name))! as Uint8Array<ArrayBuffer>;
  damaged[3]! ^= 1;
  await store.write(name, damaged);
  const notes = await Promise.all(['a', 'b'].map((id) => openCache(store).file(id)));
  assert.is(notes.filter((note) => note === undefined).length, 1, 'a damaged one is none');
});

test.run();
