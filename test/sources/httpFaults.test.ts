import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createLimiter, httpSource, type SourceEvent } from '../../sources/index.js';
import { LimitError, SourceChangedError, SourceError } from '../../src/errors.js';
import { rejects } from '../helpers/assertions.js';
import { type Fault, type FaultyServer, faultyServer, serverForEach } from '../helpers/faultyServer.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { assertStream, tick } from '../helpers/streams.js';

/** Real servers that go wrong: the right bytes arrive all the same, or a clear error and no open request. */

const bytes = pseudoRandomBytes(3_000_000);
const quick = { retry: { delay: 1 } };
let server: FaultyServer;

const test = suite('httpSource: faults');

serverForEach(test, bytes, (fresh) => {
  server = fresh;
});

/** Faults for the first requests, in order; later ones are answered well. */
const first = (...faults: (Fault | undefined)[]) => {
  server.fault = (n) => faults[n];
};

test('100 disconnects at random places: bit-exact, and hardly a byte twice', async () => {
  server.bytes = pseudoRandomBytes(20_000_000);
  const places = new Uint16Array(pseudoRandomBytes(200, 3).buffer);
  server.fault = (n) => (n < 100 ? { dropAfter: 1 + places[n]! * 4 } : undefined);
  const events: SourceEvent[] = [];
  const source = httpSource(server.url, { ...quick, onEvent: (event) => events.push(event) });
  await assertStream(source.stream(), server.bytes);
  assert.is(server.requests.length, 101);
  assert.is(events.filter(({ type }) => type === 'retry').length, 100);
  const overhead = server.wire / server.bytes.length - 1;
  assert.ok(overhead <= 0.01, `${(overhead * 100).toFixed(2)} % above the file`);
});

test('reads go on in the middle of what they read', async () => {
  first({ dropAfter: 400_000 }, { chunked: true, endAfter: 300_000 }, { dropAfter: 0 });
  const source = httpSource(server.url, quick);
  assert.equal(await source.read(1000, 1_000_000), bytes.slice(1000, 1_001_000));
  assert.equal(
    server.requests.map(({ range }) => range),
    ['bytes=1000-1000999', 'bytes=401000-1000999', 'bytes=701000-1000999', 'bytes=701000-1000999'],
  );
});

test('a stalled connection is noticed, before the answer and in its middle; a slow reader is no stall', async () => {
  first({ silent: true }, { stallAfter: 100_000 });
  // Longer than a busy machine takes to respond.
  const source = httpSource(server.url, { ...quick, idleTimeout: 1500 });
  const reader = source.stream().getReader();
  const chunks: Uint8Array[] = [];
  for (let result = await reader.read(); !result.done; result = await reader.read()) {
    chunks.push(result.value);
    if (chunks.length === 10) await tick(2000);
  }
  assert.ok(Buffer.concat(chunks).equals(bytes));
  assert.is(server.requests.length, 3);
  first(...new Array(10).fill({ silent: true }));
  const hopeless = httpSource(server.url, { retry: false, idleTimeout: 50 });
  await rejects(hopeless.read(0, 1), SourceError, /sent nothing for 50 ms/);
});

/** In a thread of its own: it answers while the reader's thread stands still, when it is told to. */
const SERVER = `
  const { parentPort } = require('node:worker_threads');
  const { createServer } = require('node:http');
  const server = createServer((request, response) => {
    parentPort.once('message', () => response.writeHead(206, { 'content-range': 'bytes 0-3/4' }).end('four'));
    parentPort.postMessage('asked');
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

test('time in which the reader itself stands still is not the silence of the server', async () => {
  const thread = new Worker(SERVER, { eval: true });
  try {
    const [port] = await once(thread, 'message');
    const source = httpSource(`http://127.0.0.1:${port}/`, { retry: false, idleTimeout: 1000 });
    const read = source.read(0, 4);
    await Promise.race([once(thread, 'message'), read]);
    thread.postMessage('answer');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200);
    assert.is(Buffer.from(await read).toString(), 'four');
  } finally {
    await thread.terminate();
  }
});

test('busy servers are asked again after Retry-After', async () => {
  const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();
  first(
    { status: 503, headers: { 'retry-after': '0' } },
    { status: 429, headers: { 'retry-after': new Date(0).toUTCString() } },
    { status: 500, headers: { 'retry-after': 'soon' } },
  );
  await assertStream(httpSource(server.url, quick).stream(), bytes);
  server.fault = () => ({ status: 503, headers: { 'retry-after': inAnHour } });
  const error = await rejects(httpSource(server.url, quick).read(0, 1), SourceError, /503/);
  assert.ok(error.retryAfter! > 3_500_000);
  assert.is(server.requests.length, 5, 'nobody waits for an hour');
});

test('ETag and Last-Modified are pinned; a file that changes is an error, whether the server checks or not', async () => {
  const changed: Partial<FaultyServer>[] = [
    { etag: '"2"' },
    { etag: undefined, lastModified: 'Mon, 01 Jan 2024 00:00:00 GMT' },
    { bytes: bytes.subarray(0, 2_500_000) },
  ];
  for (const change of changed) {
    for (const ignoreRange of [false, true]) {
      const lastModified = 'lastModified' in change ? 'Sun, 31 Dec 2023 00:00:00 GMT' : undefined;
      Object.assign(server, { bytes, etag: lastModified ? undefined : '"1"', lastModified });
      const source = httpSource(server.url, quick);
      const reader = source.stream().getReader();
      const from = server.requests.length;
      server.fault = (n) => (n === from ? { dropAfter: 200_000 } : { ignoreRange });
      let error: unknown;
      for (let i = 0; error === undefined; i++) {
        if (i === 1) Object.assign(server, change);
        await reader.read().catch((reason) => {
          error = reason;
        });
      }
      await rejects(Promise.reject(error), SourceChangedError, /file changed/);
      assert.is(server.requests.at(-1)!.ifRange, lastModified ?? '"1"');
    }
  }
});

test('what cannot serve as If-Range is not sent, and compared all the same', async () => {
  server.etag = 'W/"1"';
  const source = httpSource(server.url, quick);
  await source.read(0, 1);
  await source.read(1, 1);
  assert.is(server.requests[1]!.ifRange, undefined);
  server.etag = 'W/"2"';
  await rejects(source.read(2, 1), SourceChangedError);
  // Not of this second: on a busy machine, the response comes a second later.
  const soon = new Date(Date.now() + 3_600_000).toUTCString();
  Object.assign(server, { etag: undefined, lastModified: soon });
  const justNow = httpSource(server.url, quick);
  await justNow.read(0, 1);
  await justNow.read(1, 1);
  assert.is(server.requests.at(-1)!.ifRange, undefined, 'a date that has not passed may come again');
});

test('a server without ranges is fetched once for all reads, as far as they go', async () => {
  server.fault = () => ({ ignoreRange: true });
  const source = httpSource(server.url, quick);
  const parts = await Promise.all([source.read(100_000, 1000), source.read(5, 10)]);
  assert.equal(parts, [bytes.slice(100_000, 101_000), bytes.slice(5, 15)]);
  assert.equal(await source.read(500_000, 1000), bytes.slice(500_000, 501_000));
  await assertStream(source.stream({ start: 2_900_000 }), bytes.subarray(2_900_000));
  await assertStream(source.stream(), bytes);
  assert.is(server.requests.length, 1);
  const lazy = httpSource(server.url, quick);
  server.bytes = new Uint8Array(50_000_000);
  await lazy.read(10, 10);
  await lazy.close?.();
  await rejects(lazy.read(10, 10), DOMException, /closed/);
  await tick(20);
  assert.ok(server.requests.at(-1)!.sent < 25_000_000, 'what nobody reads is not fetched');
});

test('a server without ranges: a broken body begins again, a large file is not kept', async () => {
  first({ ignoreRange: true, dropAfter: 300_000 }, { ignoreRange: true }, { ignoreRange: true });
  const source = httpSource(server.url, quick);
  assert.equal(await source.read(600_000, 1000), bytes.slice(600_000, 601_000));
  await source.close?.();
  server.fault = () => ({ ignoreRange: true });
  await assertStream(httpSource(server.url, quick).stream({ start: 100 }), bytes.subarray(100));
  const small = httpSource(server.url, { ...quick, maxBuffered: 500_000 });
  await rejects(small.read(600_000, 10), LimitError, /takes no ranges.*at most 500000 bytes, got 3000000/);
  assert.equal(await small.read(100, 10), bytes.slice(100, 110));
  await small.close?.();
});

test('a resumed stream on a server that stops taking ranges skips what it has', async () => {
  first({ dropAfter: 1_000_000 }, { ignoreRange: true });
  await assertStream(httpSource(server.url, quick).stream(), bytes);
  assert.equal(
    server.requests.map(({ status }) => status),
    [206, 200],
  );
});

test('compressed on the way: the bytes are right, the size unknown', async () => {
  server.fault = () => ({ gzip: true });
  const source = httpSource(server.url, quick);
  await assertStream(source.stream(), bytes);
  assert.is(source.size, undefined);
});

test('answers that are not what was asked for are not tried again', async () => {
  server.fault = () => ({ contentRange: 'bytes 5-14/3000000' });
  await rejects(httpSource(server.url, quick).read(0, 10), SourceError, /Content-Range/);
  server.fault = () => ({ status: 404 });
  await rejects(httpSource(server.url, quick).read(0, 10), SourceError, /answered 404/);
  assert.is(server.requests.length, 2);
  server.fault = (n) => ({ redirect: `/${n}` });
  await rejects(httpSource(server.url, { retry: false }).read(0, 10), SourceError, /request failed/);
});

test('several URLs: a dead one is left, in the middle of the file', async () => {
  await using other = await faultyServer(bytes);
  server.fault = (n) => (n === 0 ? { dropAfter: 1_000_000 } : { status: 404 });
  const events: SourceEvent[] = [];
  const source = httpSource([server.url, other.url], { ...quick, onEvent: (event) => events.push(event) });
  await assertStream(source.stream(), bytes);
  assert.equal(await source.read(7, 7), bytes.slice(7, 14));
  assert.is(server.requests.length, 1);
  assert.is(events.filter(({ type }) => type === 'failover').length, 1);
  assert.ok(other.wire + server.wire < bytes.length * 1.01);
});

test('the number of open requests is limited, across sources too', async () => {
  const limiter = createLimiter(3);
  const sources = [1, 2].map(() => httpSource(server.url, { limiter }));
  const reads = Array.from({ length: 40 }, (_, i) => sources[i % 2]!.read(i * 50_000, 50_000));
  for (const [i, part] of (await Promise.all(reads)).entries()) {
    assert.equal(part, bytes.slice(i * 50_000, (i + 1) * 50_000));
  }
  assert.ok(server.maxActive <= 3, `${server.maxActive} at once`);
  const reader = sources[0]!.stream().getReader();
  await reader.read();
  await reader.cancel();
  for (let i = 0; i < 3; i++) await sources[0]!.stream().getReader().read();
  const abort = new AbortController();
  const waiting = sources[1]!.read(0, 1, { signal: abort.signal });
  await tick(20);
  abort.abort(new Error('enough'));
  await rejects(waiting, Error, /enough/);
  await sources[0]!.close?.();
  assert.equal(await sources[1]!.read(0, 1), bytes.slice(0, 1));
});

test('the version is learnt by asking for two bytes, once: some servers misread bytes=0-0', async () => {
  const source = httpSource(server.url, quick);
  const version = await source.version?.();
  assert.is(version, `${server.url}\n"1"\n3000000`);
  assert.is(await source.version?.(), version);
  assert.equal(
    server.requests.map(({ range }) => range),
    ['bytes=0-1'],
  );
  assert.is(source.size, bytes.length);
  server.etag = undefined;
  assert.is(await httpSource(server.url, quick).version?.(), undefined);
  Object.assign(server, { etag: '"0"', bytes: new Uint8Array(0) });
  assert.is(await httpSource(server.url, quick).version?.(), `${server.url}\n"0"\n0`);
});

test.run();
