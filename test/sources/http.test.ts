import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bodyReader } from '../../sources/http/body.js';
import { serverSource } from '../../sources/http/httpSource.js';
import type { HttpRequest } from '../../sources/http/request.js';
import { type HttpSourceOptions, httpSource } from '../../sources/index.js';
import { ownMemory } from '../../src/bytes/sharedMemory.js';
import { SourceChangedError, SourceError, TruncatedError } from '../../src/errors.js';
import { rejects } from '../helpers/assertions.js';
import { type FaultyServer, faultyServer, serverForEach } from '../helpers/faultyServer.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { collect, tick, until } from '../helpers/streams.js';

const bytes = pseudoRandomBytes(1_000_000);
let server: FaultyServer;

const test = suite('httpSource');

serverForEach(test, bytes, (fresh) => {
  server = fresh;
});

/** Without second attempts: every fault is seen. */
const once = (url: string, options: HttpSourceOptions = {}) => httpSource(url, { ...options, retry: false });

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(Buffer.concat(await collect(stream)));
}

/** Waits for something that the server learns a moment later. */
async function eventually(check: () => boolean, what: string): Promise<void> {
  await until(check);
  assert.ok(check(), what);
}

test('asks for ranges, learns the size, and keeps its connection', async () => {
  const source = once(server.url, { headers: { 'x-test': '1' } });
  assert.is(source.size, undefined);
  for (let i = 0; i < 10; i++)
    assert.equal(await source.read(i * 1000, 10), bytes.slice(i * 1000, i * 1000 + 10));
  assert.is(source.size, bytes.length);
  assert.equal(await bytesOf(source.stream({ start: 999_000 })), bytes.slice(999_000));
  assert.equal(await bytesOf(source.stream()), bytes);
  assert.ok(server.connections <= 2, `${server.connections} connections`);
  assert.equal(server.requests.map(({ range }) => range).slice(8), [
    'bytes=8000-8009',
    'bytes=9000-9009',
    'bytes=999000-',
    'bytes=0-',
  ]);
  const beyond = await rejects(source.read(999_999, 2), TruncatedError, /expected 1000001 bytes/);
  assert.is(beyond.actual, bytes.length);
  assert.is(server.requests.length, 12, 'what is known to be beyond the end is not asked for');
});

test('memory of chunks is ours where all readers are, and the engine has made the response', async () => {
  const areOwn = async (stream: ReadableStream<Uint8Array>) => {
    const chunks = await collect(stream);
    assert.equal(new Uint8Array(Buffer.concat(chunks)), bytes);
    return [...new Set(chunks.map(({ buffer }) => ownMemory.has(buffer)))];
  };
  assert.equal(await areOwn(serverSource(server.url, {}, true).stream()), [true]);
  assert.equal(await areOwn(serverSource(server.url).stream()), [false]);
  assert.equal(await areOwn(once(server.url).stream()), [false]);
  // What a program puts in the place of `fetch` may use its memory again.
  const ofProgram: typeof fetch = async (...args) => {
    const { body, status, headers } = await fetch(...args);
    return new Response(body, { status, headers });
  };
  assert.equal(await areOwn(serverSource(server.url, { fetch: ofProgram }, true).stream()), [false]);
  // A server without ranges: what comes is kept for others.
  server.fault = () => ({ ignoreRange: true });
  const whole = serverSource(server.url, {}, true);
  const [middle, ...rest] = await collect(whole.stream({ start: 1000, end: 2000 }));
  assert.equal(rest, []);
  assert.not(ownMemory.has(middle!.buffer));
});

test('memory that several chunks share is not ours', async () => {
  for (const isShared of [false, true]) {
    const chunks = isShared
      ? [bytes.subarray(0, 1000), bytes.subarray(1000, 2000)]
      : [bytes.slice(0, 1000), bytes.slice(1000, 2000)];
    const given = chunks.values();
    const request = {
      range: { start: 0, end: 2000 },
      url: server.url,
      isOwn: true,
      chunk: async () => given.next().value,
    } as unknown as HttpRequest;
    const response = { start: 0, end: 2000, complete: true, size: 2000, ranges: true, body: null };
    const reader = bodyReader(request, response);
    while (await reader.next());
    assert.equal(
      chunks.map(({ buffer }) => ownMemory.has(buffer)),
      [!isShared, !isShared],
    );
  }
});

test('an empty file, and one that is asked for beyond its end', async () => {
  server.bytes = new Uint8Array(0);
  const source = once(server.url);
  assert.equal(await collect(source.stream()), []);
  assert.is(source.size, 0);
  await rejects(once(server.url).read(0, 1), TruncatedError);
});

test('a server that ignores ranges: what is asked for is cut out of the whole', async () => {
  server.fault = () => ({ ignoreRange: true });
  const source = once(server.url);
  assert.equal(await bytesOf(source.stream({ start: 100_000, end: 300_000 })), bytes.slice(100_000, 300_000));
  assert.equal(await source.read(500_000, 100), bytes.slice(500_000, 500_100));
  assert.is(source.size, bytes.length);
  await rejects(once(server.url).read(bytes.length - 1, 2), TruncatedError);
});

test('a length that belongs to encoded bytes is not the size', async () => {
  server.fault = () => ({ ignoreRange: true, headers: { 'content-encoding': 'identity' } });
  const plain = once(server.url);
  await plain.read(0, 1);
  assert.is(plain.size, bytes.length);
  const encoded = once(server.url, {
    // As a proxy does that compresses: the engine decodes the body and leaves the headers.
    fetch: async (...request) => {
      const { body, headers } = await fetch(...request);
      const changed = new Headers(headers);
      changed.set('content-encoding', 'gzip');
      changed.set('content-length', '12345');
      return new Response(body, { headers: changed });
    },
  });
  assert.equal(await bytesOf(encoded.stream()), bytes);
  assert.is(encoded.size, undefined);
});

test('a range of encoded bytes is refused', async () => {
  server.fault = () => ({ headers: { 'content-encoding': 'br' } });
  await rejects(once(server.url).read(0, 10), SourceError, /encoded body.*got br/);
});

test('Content-Range must have the first byte that was asked for', async () => {
  for (const contentRange of [
    'bytes 1-10/1000000',
    'bytes 10-19/1000000',
    'bytes 0-9/5',
    'bytes */1000000',
    'items 0-9/9',
    'x',
  ]) {
    server.fault = () => ({ contentRange });
    await rejects(once(server.url).read(0, 10), SourceError, /Content-Range.*expected bytes 0-9/);
  }
  server.fault = () => ({ contentRange: 'bytes 0-9/*' });
  const source = once(server.url);
  assert.equal(await source.read(0, 10), bytes.slice(0, 10));
  assert.is(source.size, undefined);
});

test('statuses become errors that say whether to try again', async () => {
  for (const [status, retryable] of [
    [400, false],
    [403, false],
    [404, false],
    [408, true],
    [418, false],
    [429, true],
    [500, true],
    [503, true],
  ] as const) {
    server.fault = () => ({ status, headers: { 'retry-after': '7' } });
    const error = await rejects(once(server.url).read(0, 10), SourceError, new RegExp(`answered ${status}`));
    assert.equal([error.status, error.retryable, error.retryAfter], [status, retryable, 7000]);
  }
  await eventually(() => server.active === 0, 'bodies of errors are not left open');
});

test('broken, silent and unreachable servers', async () => {
  server.fault = () => ({ dropAfter: 200_000 });
  const dropped = await rejects(bytesOf(once(server.url).stream()), SourceError, /connection broke/);
  assert.is(dropped.retryable, true);
  server.fault = () => ({ chunked: true, endAfter: 200_000 });
  const short = await rejects(bytesOf(once(server.url).stream()), SourceError, /body ended early/);
  assert.equal([short.retryable, short.expected, short.actual], [true, bytes.length, 200_000]);
  const ended = await faultyServer(bytes);
  await ended[Symbol.asyncDispose]();
  const gone = await rejects(once(ended.url).read(0, 1), SourceError, /request failed/);
  assert.is(gone.retryable, true);
});

test('redirects are followed', async () => {
  server.fault = (_, { url }) => (url === '/file' ? { redirect: '/moved' } : undefined);
  assert.equal(await once(server.url).read(5, 10), bytes.slice(5, 15));
  assert.equal(
    server.requests.map(({ path, range }) => [path, range]),
    [
      ['/file', 'bytes=5-14'],
      ['/moved', 'bytes=5-14'],
    ],
  );
});

test('a file that changes its size is noticed', async () => {
  const source = once(server.url);
  await source.read(0, 10);
  server.bytes = bytes.subarray(1);
  await rejects(source.read(0, 10), SourceChangedError, /expected 1000000, got 999999/);
});

test('cancelled, aborted or dropped at any point: the request ends', async () => {
  server.bytes = new Uint8Array(50_000_000);
  const everything = new AbortController();
  const source = once(server.url, { signal: everything.signal });
  const reason = new Error('enough');
  for (const reads of [0, 1, 5]) {
    const reader = source.stream().getReader();
    for (let i = 0; i < reads; i++) await reader.read();
    await reader.cancel();
    const abort = new AbortController();
    const aborted = source.stream({ signal: abort.signal }).getReader();
    for (let i = 0; i < reads; i++) await aborted.read();
    const pending = aborted.read();
    abort.abort(reason);
    await Promise.allSettled([pending]);
    await rejects(aborted.read(), Error, /enough/);
  }
  for (const fault of [{ silent: true }, { stallAfter: 10_000 }]) {
    server.fault = () => fault;
    const reader = source.stream().getReader();
    const reading = reader.read().then(() => reader.read());
    await tick(20);
    await reader.cancel();
    assert.is((await reading).done, true);
    const abort = new AbortController();
    const read = source.read(0, 100_000, { signal: abort.signal });
    await tick(20);
    abort.abort(reason);
    await rejects(read, Error, /enough/);
  }
  const last = source.read(0, 100_000);
  await tick(20);
  everything.abort(reason);
  await rejects(last, Error, /enough/);
  await rejects(source.read(0, 1), Error, /enough/);
  await eventually(() => server.active === 0, `${server.active} requests left`);
  assert.ok(server.requests.every(({ aborted }) => aborted));
  assert.ok(server.sent < 30_000_000, `${server.sent} bytes sent to nobody`);
});

test.run();
