import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesSource, httpSource, withCoalescing } from '../../sources/index.js';
import { SourceError, TruncatedError } from '../../src/errors.js';
import { rejects } from '../helpers/assertions.js';
import { type FaultyServer, serverForEach } from '../helpers/faultyServer.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { tick, until } from '../helpers/streams.js';

const bytes = pseudoRandomBytes(1_000_000);
let server: FaultyServer;

const test = suite('withCoalescing');

serverForEach(test, bytes, (fresh) => {
  server = fresh;
});

const ranges = () => server.requests.map(({ range }) => range);

test('reads asked for together become few requests, and get memory of their own', async () => {
  const source = withCoalescing(httpSource(server.url), { maxGap: 100 });
  const wanted = [
    [500, 100],
    [0, 10],
    [60, 40],
    [5, 10],
    [700, 50],
    [900_000, 1000],
    [7, 0],
  ] as const;
  const parts = await Promise.all(wanted.map(([offset, length]) => source.read(offset, length)));
  assert.equal(
    parts,
    wanted.map(([offset, length]) => bytes.slice(offset, offset + length)),
  );
  assert.equal(ranges().sort(), ['bytes=0-99', 'bytes=500-749', 'bytes=900000-900999']);
  parts[1]!.fill(0);
  assert.equal(parts[3], bytes.slice(5, 15));
  await source.read(0, 10);
  assert.is(ranges().at(-1), 'bytes=0-9');
  assert.is(source.size, bytes.length);
});

test('reads of a source that gives Buffers of Node get memory of their own, too', async () => {
  const whole = Buffer.from(bytes.subarray(0, 100));
  const source = withCoalescing({
    ...bytesSource(whole),
    read: async (offset, length) => whole.subarray(offset, offset + length),
  });
  const [first, second] = await Promise.all([source.read(0, 10), source.read(5, 10)]);
  first!.fill(0);
  assert.equal(Uint8Array.from(second!), bytes.slice(5, 15));
  assert.ok(whole.equals(bytes.subarray(0, 100)));
});

test('each read fails for itself', async () => {
  const source = withCoalescing(httpSource(server.url, { retry: false }));
  const [good, beyond] = await Promise.allSettled([source.read(999_000, 1000), source.read(999_990, 11)]);
  assert.equal(good.status === 'fulfilled' && good.value, bytes.slice(999_000));
  assert.ok(beyond.status === 'rejected' && beyond.reason instanceof TruncatedError);
  server.fault = () => ({ status: 404 });
  const all = await Promise.allSettled([source.read(0, 10), source.read(10, 10)]);
  for (const one of all) assert.ok(one.status === 'rejected' && one.reason instanceof SourceError);
});

test('an aborted read leaves the others; the request ends with the last', async () => {
  const source = withCoalescing(httpSource(server.url));
  const aborts = [new AbortController(), new AbortController()];
  const read = (i: number) => source.read(i * 10, 10, { signal: aborts[i]!.signal });
  const [one, other] = [read(0), read(1)];
  aborts[0]!.abort(new Error('enough'));
  await rejects(one, Error, /enough/);
  assert.equal(await other, bytes.slice(10, 20));
  server.fault = () => ({ silent: true });
  aborts[0] = new AbortController();
  const silent = [read(0), read(1)];
  await until(() => server.active > 0);
  await tick(20);
  assert.is(server.active, 1);
  for (const [i, abort] of aborts.entries()) {
    abort.abort(new Error('enough'));
    await rejects(silent[i]!, Error, /enough/);
  }
  await until(() => server.active === 0);
  assert.is(server.active, 0);
  await rejects(read(0), Error, /enough/);
});

test.run();
