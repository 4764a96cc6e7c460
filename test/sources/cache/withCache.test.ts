import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderStore } from '../../../node.js';
import {
  bytesSource,
  httpSource,
  memoryStore,
  openCache,
  type RandomAccessSource,
  type SourceEvent,
  withCache,
  withRetry,
} from '../../../sources/index.js';
import { SinkError, TruncatedError } from '../../../src/errors.js';
import { afterEach } from '../../helpers/afterEach.js';
import { rejects } from '../../helpers/assertions.js';
import { type FaultyServer, faultyServer } from '../../helpers/faultyServer.js';
import { pseudoRandomBytes } from '../../helpers/random.js';
import { collect } from '../../helpers/streams.js';

const bytes = pseudoRandomBytes(3_500_000);
let server: FaultyServer;
let folder: string;

const test = suite('withCache');

test.before.each(async () => {
  server = await faultyServer(bytes);
  folder = await mkdtemp(join(tmpdir(), 'holostream-'));
});
afterEach(test, async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function same(stream: ReadableStream<Uint8Array>, expected: Uint8Array): Promise<void> {
  assert.ok(Buffer.concat(await collect(stream)).equals(expected), 'bytes differ');
}

const ranges = () => server.requests.map(({ range }) => range);
const probe = 'bytes=0-1';

test('no byte is fetched twice, whatever is read in between', async () => {
  const source = withCache(httpSource(server.url), openCache(memoryStore()));
  assert.equal(await source.read(1_000_000, 500_000), bytes.slice(1_000_000, 1_500_000));
  assert.equal(await source.read(1_200_000, 1000), bytes.slice(1_200_000, 1_201_000));
  await same(source.stream({ start: 900_000 }), bytes.subarray(900_000));
  await same(source.stream(), bytes);
  await same(source.stream({ start: 5, end: 5 }), new Uint8Array(0));
  assert.equal(ranges(), [
    'bytes=1000000-1499999',
    'bytes=900000-999999',
    'bytes=1500000-3499999',
    'bytes=0-899999',
  ]);
  assert.is(server.sent, bytes.length);
  assert.is(source.size, bytes.length);
  await rejects(source.read(bytes.length, 1), TruncatedError);
});

test('kept in a folder for the next process; a changed file is fetched anew', async () => {
  for (let i = 0; i < 2; i++) {
    const events: SourceEvent[] = [];
    const cache = openCache(await folderStore(folder));
    const source = withCache(httpSource(server.url), cache, { onEvent: (event) => events.push(event) });
    await same(source.stream(), bytes);
    assert.is(events.length, i * 4);
  }
  assert.is(server.sent, bytes.length + 2, 'the second time, it is asked for its version');
  server.etag = '"2"';
  server.bytes = bytes.map((byte) => byte ^ 1);
  await same(withCache(httpSource(server.url), openCache(await folderStore(folder))).stream(), server.bytes);
});

test('poisoned and half-written entries are dropped and fetched again', async () => {
  const load = async () => {
    const cache = openCache(await folderStore(folder));
    await same(withCache(httpSource(server.url), cache).stream(), bytes);
  };
  await load();
  const files = (await readdir(folder)).sort();
  const parts = files.filter((name) => !name.includes('-file'));
  assert.is(parts.length, 4);
  assert.is(files.length, 5, 'and a note of the file');
  const path = (i: number) => join(folder, parts[i]!);
  const poisoned = await readFile(path(0));
  poisoned[100]! ^= 1;
  await writeFile(path(0), poisoned);
  await writeFile(path(1), (await readFile(path(1))).subarray(0, 5000));
  await writeFile(path(2), '');
  await writeFile(join(folder, 'mine.txt'), 'not of the cache');
  await writeFile(join(folder, 'x.cache-tmp'), 'left by a crash');
  await utimes(join(folder, 'x.cache-tmp'), 0, 0);
  await writeFile(join(folder, 'y.cache-tmp'), 'being written');
  const before = server.sent;
  await load();
  assert.ok(server.sent - before > 2_000_000 && server.sent - before < bytes.length);
  assert.equal((await readdir(folder)).sort(), [...files, 'mine.txt', 'y.cache-tmp'].sort());
  await load();
  assert.is(server.requests.at(-1)!.range, probe);
});

test('a file that is larger than the cache: what is kept of it is used', async () => {
  const cache = openCache(memoryStore(), { maxSize: 2_500_000 });
  await same(withCache(httpSource(server.url), cache).stream(), bytes);
  await same(
    withCache(httpSource(server.url), cache).stream({ start: 2_500_000 }),
    bytes.subarray(2_500_000),
  );
  assert.equal(ranges(), ['bytes=0-', probe]);
});

test('a cancelled or broken stream leaves what it had got', async () => {
  const cache = openCache(memoryStore());
  const reader = withCache(httpSource(server.url), cache).stream().getReader();
  let got = 0;
  while (got < 100_000) got += (await reader.read()).value!.length;
  await reader.cancel();
  server.fault = (n) => (n === 2 ? { dropAfter: 700_000 } : undefined);
  const source = withRetry(withCache(httpSource(server.url, { retry: false }), cache), { delay: 0 });
  await same(source.stream(), bytes);
  assert.equal(ranges(), ['bytes=0-', probe, `bytes=${got}-3499999`, `bytes=${got + 700_000}-3499999`]);
});

test('two processes load the same file at the same time', async () => {
  const load = async () => {
    const cache = openCache(await folderStore(folder), { maxSize: 2_000_000 });
    const source = withCache(httpSource(server.url), cache);
    for (let i = 0; i < 3; i++) await same(source.stream(), bytes);
  };
  await Promise.all([load(), load(), load()]);
  for (const file of await readdir(folder)) assert.match(file, /^[0-9a-f]{16}-(\d+-\d+|file)\.cache$/);
});

test('a source without a version or size passes through, which is said once', async () => {
  const store = memoryStore();
  const events: SourceEvent[] = [];
  const onEvent = (event: SourceEvent) => events.push(event);
  const cached = (source: RandomAccessSource) => withCache(source, openCache(store), { onEvent });
  const inMemory = cached(bytesSource(bytes));
  await same(inMemory.stream({ start: 7 }), bytes.subarray(7));
  await inMemory.read(0, 10);
  server.etag = undefined;
  const unversioned = cached(httpSource(server.url));
  for (const offset of [10, 20]) {
    assert.equal(await unversioned.read(offset, 10), bytes.slice(offset, offset + 10));
  }
  await same(unversioned.stream(), bytes);
  server.etag = '"1"';
  server.fault = () => ({ unknownSize: true });
  const sizeless = cached(httpSource(server.url));
  assert.equal(await sizeless.read(10, 10), bytes.slice(10, 20));
  await same(sizeless.stream(), bytes);
  assert.equal(await store.list(), []);
  const messages = events.map((event) => (event.type === 'cache-failure' ? String(event.error) : event.type));
  assert.is(messages.length, 3);
  for (const message of messages.slice(0, 2)) assert.match(message, /Cannot keep the file.*no version/);
  assert.match(messages[2]!, /size is unknown.*Content-Range/);
});

test('a folder that cannot be made', async () => {
  await writeFile(join(folder, 'file'), '');
  await rejects(folderStore(join(folder, 'file', 'x')), SinkError, /Cannot make cache folder/);
});

test.run();
