import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type HttpSourceOptions, httpSource, type SourceEvent } from '../../sources/index.js';
import { SourceError, TruncatedError } from '../../src/errors.js';
import { rejects } from '../helpers/assertions.js';
import { type FaultyServer, serverForEach } from '../helpers/faultyServer.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { assertStream, until } from '../helpers/streams.js';

/** Answers that are not exactly what was asked for, and say so, are used as they are: no error, no wait, no byte twice. */

const bytes = pseudoRandomBytes(274_000);
let server: FaultyServer;

const test = suite('httpSource: honest answers');

serverForEach(test, bytes, (fresh) => {
  server = fresh;
});

const once = (options: HttpSourceOptions = {}) => httpSource(server.url, { ...options, retry: false });

const ranges = () => server.requests.map(({ range }) => range);

test('ranges that are cut short: the rest is asked for at once, on the same connection', async () => {
  const cap = 8192;
  server.fault = () => ({ cap });
  const events: SourceEvent[] = [];
  const source = once({ onEvent: (event) => events.push(event) });
  await assertStream(source.stream(), bytes);
  assert.is(server.requests.length, Math.ceil(bytes.length / cap));
  assert.equal(ranges().slice(0, 3), ['bytes=0-', 'bytes=8192-', 'bytes=16384-']);
  assert.is(server.sent, bytes.length, 'no byte is sent twice');
  assert.ok(server.connections <= 2, `${server.connections} connections`);
  assert.equal(new Set(events.map(({ type }) => type)), new Set(['request', 'response']));
  const from = server.requests.length;
  assert.equal(await source.read(1000, 20_000), bytes.slice(1000, 21_000));
  assert.equal(ranges().slice(from), ['bytes=1000-20999', 'bytes=9192-20999', 'bytes=17384-20999']);
  assert.is(source.size, bytes.length);
  await rejects(once().read(bytes.length - 5, 10), TruncatedError);
});

test('ranges that begin before and end behind what was asked for are cut', async () => {
  server.fault = () => ({ align: 4096 });
  const source = once();
  assert.equal(await source.read(5000, 10), bytes.slice(5000, 5010));
  assert.equal(await source.read(4095, 4098), bytes.slice(4095, 8193));
  await assertStream(source.stream({ start: 100_001, end: 273_999 }), bytes.subarray(100_001, 273_999));
  await assertStream(source.stream({ start: 7 }), bytes.subarray(7));
  assert.is(server.requests.length, 4);
  server.fault = () => ({ align: 4096, cap: 5000 });
  await assertStream(source.stream({ start: 4000 }), bytes.subarray(4000));
  // All of the file as a range.
  server.fault = () => ({ align: 2 ** 30 });
  assert.equal(await source.read(200_000, 10), bytes.slice(200_000, 200_010));
});

test('a cut range is not taken for the end of a file whose size nobody knows', async () => {
  for (const contentRange of [undefined, null]) {
    server.fault = (_, { headers }) => {
      const behind = Number(/\d+/.exec(headers.range!)![0]) >= bytes.length;
      return { cap: 100_000, unknownSize: true, ...(behind && contentRange === null && { contentRange }) };
    };
    await assertStream(once().stream(), bytes);
    await assertStream(once().stream({ start: 273_999 }), bytes.subarray(273_999));
    assert.equal(await once().read(50_000, 200_000), bytes.slice(50_000, 250_000));
    await rejects(once().read(200_000, 74_001), TruncatedError, /expected 274001 bytes, got 274000/);
  }
});

test('without Content-Range, as across origins, a 206 of the right length is trusted', async () => {
  server.fault = () => ({ contentRange: null });
  const source = once();
  assert.equal(await source.read(1000, 100), bytes.slice(1000, 1100));
  assert.equal(await source.read(0, 1), bytes.slice(0, 1));
  await assertStream(source.stream({ start: 100_000, end: 200_000 }), bytes.subarray(100_000, 200_000));
  assert.is(source.size, undefined);
  assert.equal(ranges(), ['bytes=1000-1099', 'bytes=0-1', 'bytes=100000-199999']);
});

test('without Content-Range, what cannot be trusted is asked for as a whole', async () => {
  const hidden = { contentRange: null };
  server.fault = () => hidden;
  await assertStream(once().stream(), bytes);
  assert.equal(ranges(), ['bytes=0-', undefined], 'it may have been cut short');
  // Once the size is known, the rest of the file has a length, too.
  server.fault = (n) => (n === 2 ? undefined : hidden);
  const source = once();
  await source.read(0, 10);
  await assertStream(source.stream({ start: 200_000 }), bytes.subarray(200_000));
  assert.equal(ranges().slice(2), ['bytes=0-9', 'bytes=200000-']);
  for (const fault of [{ cap: 50 }, { align: 4096 }, { chunked: true }]) {
    const from = server.requests.length;
    server.fault = (_, { headers }) => (headers.range === undefined ? undefined : { ...hidden, ...fault });
    const whole = once();
    assert.equal(await whole.read(5000, 100), bytes.slice(5000, 5100));
    assert.equal(await whole.read(9000, 100), bytes.slice(9000, 9100));
    assert.equal(ranges().slice(from), ['bytes=5000-5099', undefined], 'and is kept');
    await whole.close?.();
  }
  // Also a range where none was asked for: there is nothing left to try.
  const error = await rejects(
    once({
      fetch: async (...request) => {
        const { body } = await fetch(...request);
        return new Response(body, { status: 206 });
      },
    }).read(5000, 100),
    SourceError,
    /Content-Range is missing.*expected bytes 5000-5099, got null/,
  );
  assert.is(error.retryable, false);
});

test('answers of a few bytes each are a fault', async () => {
  server.fault = () => ({ cap: 1 });
  await rejects(once().read(0, 10_000), SourceError, /responses are too short.*at least 1024 bytes, got 1/);
  const from = server.requests.length;
  const source = httpSource(server.url, { retry: { delay: 1, retries: 3 } });
  await rejects(source.read(0, 10_000), SourceError, /too short/);
  // Five short answers for each of the four attempts.
  assert.is(server.requests.length - from, 20);
  server.fault = () => ({ cap: 1024 });
  assert.equal(await once().read(0, 10_000), bytes.slice(0, 10_000));
});

test('a range that the file does not have, of a server that does not say how large it is', async () => {
  // As http-server answers.
  server.fault = (_, { headers }) => {
    const start = Number(/\d+/.exec(headers.range!)![0]);
    return start < server.bytes.length ? undefined : { status: 416 };
  };
  await rejects(once().read(bytes.length + 10, 1), SourceError, /416.*the file has no such range/);
  const known = once();
  await known.read(0, 10);
  await rejects(known.read(bytes.length + 10, 1), TruncatedError, /got 274000/);
  server.bytes = new Uint8Array(0);
  await assertStream(once().stream(), new Uint8Array(0));
  const error = await rejects(once().read(0, 1), TruncatedError, /expected 1 bytes, got 0/);
  assert.not(error instanceof SourceError);
});

test('bytes=0-0 is never sent: some servers read it as no range at all', async () => {
  // As sirv does, and Vite's server with it.
  server.fault = (_, { headers }) => (headers.range === 'bytes=0-0' ? { align: 2 ** 30 } : undefined);
  assert.equal(await once().read(0, 1), bytes.slice(0, 1));
  assert.is((await once().version?.())?.includes('"1"'), true);
  assert.is(server.sent, 4);
  server.bytes = bytes.slice(0, 1);
  assert.equal(await once().read(0, 1), bytes.slice(0, 1), 'nor where the file has only one');
  assert.not(ranges().includes('bytes=0-0'));
});

test('cancelled or aborted between two answers, nothing is left open', async () => {
  server.fault = () => ({ cap: 8192 });
  for (const chunks of [0, 1, 2, 5]) {
    const reader = once().stream().getReader();
    for (let i = 0; i < chunks; i++) await reader.read();
    const pending = reader.read();
    await reader.cancel();
    await pending;
    const abort = new AbortController();
    const reading = once().read(0, 200_000, { signal: abort.signal });
    while (server.requests.length % 7 < chunks) await new Promise(setImmediate);
    abort.abort(new Error('enough'));
    await rejects(reading, Error, /enough/);
  }
  await until(() => server.active === 0);
  assert.is(server.active, 0);
});

test.run();
