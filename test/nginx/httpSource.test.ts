import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { httpSource, memoryStore, openCache, withCache, withCoalescing } from '../../sources/index.js';
import { SourceChangedError, SourceError, TruncatedError } from '../../src/errors.js';
import { rejects } from '../helpers/assertions.js';
import { type Nginx, nginx } from '../helpers/nginx.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { collect, until } from '../helpers/streams.js';

const bytes = pseudoRandomBytes(2_000_000);
let server: Nginx;

const test = suite('httpSource on a real nginx');

test.before(async () => {
  server = await nginx();
  await writeFile(join(server.folder, 'model.bin'), bytes);
  await writeFile(join(server.folder, 'empty.bin'), '');
});
test.after(async () => {
  await server[Symbol.asyncDispose]();
});

async function same(stream: ReadableStream<Uint8Array>, expected: Uint8Array): Promise<void> {
  assert.ok(Buffer.concat(await collect(stream)).equals(expected), 'bytes differ');
}

test('ranges, sizes and versions as it comes from the package', async () => {
  const source = httpSource(`${server.url}model.bin`, { retry: false });
  await same(source.stream(), bytes);
  assert.is(source.size, bytes.length, 'known although the server compresses');
  assert.equal(await source.read(1_234_567, 1000), bytes.slice(1_234_567, 1_235_567));
  assert.match((await source.version?.()) ?? '', /\n"[0-9a-f]+-[0-9a-f]+"\n2000000$/);
  await rejects(source.read(bytes.length - 1, 2), TruncatedError);
  await rejects(httpSource(`${server.url}model.bin`).read(bytes.length + 5, 2), TruncatedError);
  const empty = httpSource(`${server.url}empty.bin`, { retry: false });
  await same(empty.stream(), new Uint8Array(0));
  assert.is(empty.size, 0);
  await rejects(httpSource(`${server.url}none`).read(0, 1), SourceError, /answered 404 Not Found/);
});

test('a server told to take no ranges', async () => {
  const source = httpSource(`${server.url}whole/model.bin`, { retry: false });
  const parts = await Promise.all([source.read(1_000_000, 100), source.read(5, 10)]);
  assert.equal(parts, [bytes.slice(1_000_000, 1_000_100), bytes.slice(5, 15)]);
  await same(source.stream(), bytes);
});

test('with a cache and joined reads, each byte is sent once', async () => {
  const from = (await server.log()).length;
  const http = httpSource(`${server.url}model.bin?cached`);
  const source = withCoalescing(withCache(http, openCache(memoryStore())), { maxGap: 1000 });
  const reads = Array.from({ length: 100 }, (_, i) => source.read(i * 15_000, 14_500));
  for (const [i, part] of (await Promise.all(reads)).entries()) {
    assert.equal(part, bytes.slice(i * 15_000, i * 15_000 + 14_500));
  }
  await same(source.stream(), bytes);
  await until(async () => (await server.log()).length >= from + 2);
  const log = (await server.log()).slice(from);
  assert.equal(
    log.map(({ range }) => range),
    ['bytes=0-1499499', 'bytes=1499500-1999999'],
  );
  assert.is(
    log.reduce((sum, { sent }) => sum + sent, 0),
    bytes.length,
  );
});

test('a cancelled stream ends the transfer', async () => {
  const reader = httpSource(`${server.url}limited/model.bin`).stream().getReader();
  await reader.read();
  await reader.cancel();
  await until(async () => (await server.log()).at(-1)?.range === 'bytes=0-');
  const last = (await server.log()).at(-1);
  assert.ok(last!.sent < bytes.length, `${last!.sent} bytes sent`);
});

test('a file replaced on the disk is noticed', async () => {
  const path = join(server.folder, 'changing.bin');
  await writeFile(path, bytes);
  const source = httpSource(`${server.url}changing.bin`);
  await source.read(0, 10);
  await writeFile(`${path}.new`, bytes.subarray(1));
  await rename(`${path}.new`, path);
  await rejects(source.read(10, 10), SourceChangedError, /file changed/);
});

test.run();
