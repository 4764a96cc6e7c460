import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkResponse } from '../../sources/http/response.js';
import { retryAfterOf } from '../../sources/http/retryAfter.js';
import {
  type HttpSourceOptions,
  httpSource,
  memoryStore,
  openCache,
  type SourceEvent,
  withCache,
} from '../../sources/index.js';
import { ArgumentError, SourceChangedError, SourceError } from '../../src/errors.js';
import { rejects, throws } from '../helpers/assertions.js';
import { type FaultyServer, serverForEach } from '../helpers/faultyServer.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { assertStream } from '../helpers/streams.js';

/** Headers of responses mean what the standards say, also where servers use them in their own way. */

const bytes = pseudoRandomBytes(100_000);
let server: FaultyServer;

const test = suite('httpSource: headers');

serverForEach(test, bytes, (fresh) => {
  server = fresh;
});

const once = (options: HttpSourceOptions = {}) => httpSource(server.url, { ...options, retry: false });

test('codings that fetch does not decode leave the body as it is', async () => {
  for (const coding of ['aws-chunked', 'none', 'utf-8', 'identity', 'Identity', '', 'aws-chunked, gzip']) {
    const headers = { 'content-encoding': coding };
    server.fault = () => ({ headers });
    const ranges = once();
    assert.equal(await ranges.read(1000, 100), bytes.slice(1000, 1100), coding);
    assert.is(ranges.size, bytes.length);
    server.fault = () => ({ headers, ignoreRange: true });
    const whole = once();
    await assertStream(whole.stream(), bytes);
    assert.is(whole.size, bytes.length, coding);
  }
});

test('codings that fetch decodes: a range of them is refused, the length of a whole is not the size', async () => {
  for (const coding of ['gzip', 'x-gzip', 'GZIP', 'br', 'deflate', 'zstd', 'gzip, identity', 'br,gzip']) {
    server.fault = () => ({ headers: { 'content-encoding': coding } });
    await rejects(once().read(0, 10), SourceError, /encoded body/);
  }
  server.fault = () => ({ gzip: true });
  const source = once();
  await assertStream(source.stream(), bytes);
  assert.is(source.size, undefined);
});

test('what a server answers beside the status cannot reach a terminal; a length beyond 2^53 is none', () => {
  const range = { start: 0, end: 10 };
  // A browser and Node take these bytes in a reason: in a terminal, \u009b begins a command.
  const refused = new Response(null, { status: 503, statusText: '\u009b31mfull' });
  throws(() => checkResponse(refused, range, 'w', undefined), SourceError, /503 \\u\{9b\}31mfull/);
  const large = new Response(null, { headers: { 'content-length': '9007199254740993' } });
  assert.is(checkResponse(large, range, 'w', undefined)!.size, undefined);
});

test('a weak and a strong ETag of one file agree; only a strong one is sent or cached by', async () => {
  const weakFirst = once();
  for (const etag of ['W/"1"', '"1"', 'W/"1"']) {
    server.etag = etag;
    assert.equal(await weakFirst.read(10, 10), bytes.slice(10, 20));
  }
  assert.ok(server.requests.every(({ ifRange }) => ifRange === undefined));
  assert.is(await weakFirst.version?.(), undefined);
  server.etag = 'W/"2"';
  const error = await rejects(weakFirst.read(0, 10), SourceChangedError);
  assert.equal([error.expected, error.actual], ['W/"1"', 'W/"2"'], 'the error shows what differs');

  server.etag = '"1"';
  const strongFirst = once();
  await strongFirst.read(0, 10);
  assert.is(await strongFirst.version?.(), `${server.url}\n"1"\n${bytes.length}`);
  server.etag = 'W/"1"';
  // If-Range compares strongly, so the server sends the whole file: it is the same one all the same.
  assert.equal(await strongFirst.read(10, 10), bytes.slice(10, 20));
  assert.equal([server.requests.at(-1)!.ifRange, server.requests.at(-1)!.status], ['"1"', 200]);
});

test('validate: for servers whose ETag changes with every response', async () => {
  const lastModified = 'Mon, 01 Jan 2024 00:00:00 GMT';
  server.lastModified = lastModified;
  server.fault = (n) => {
    server.etag = `"${n}"`;
    return undefined;
  };
  const strict = once();
  await strict.read(0, 10);
  await rejects(strict.read(0, 10), SourceChangedError);

  const dated = once({ validate: 'last-modified' });
  for (const offset of [0, 1000, 2000])
    assert.equal(await dated.read(offset, 10), bytes.slice(offset, offset + 10));
  assert.is(server.requests.at(-1)!.ifRange, lastModified);
  assert.is(await dated.version?.(), `${server.url}\n${lastModified}\n${bytes.length}`);
  server.lastModified = 'Tue, 02 Jan 2024 00:00:00 GMT';
  await rejects(dated.read(0, 10), SourceChangedError, /expected Mon, 01 Jan.*got Tue, 02 Jan/);

  const sized = once({ validate: 'size' });
  await sized.read(0, 10);
  server.lastModified = lastModified;
  assert.equal(await sized.read(5, 10), bytes.slice(5, 15));
  assert.is(server.requests.at(-1)!.ifRange, undefined);
  assert.is(await sized.version?.(), undefined);
  const store = memoryStore();
  await assertStream(withCache(sized, openCache(store)).stream(), bytes);
  assert.equal(await store.list(), [], 'what nothing tells apart is not cached');
  server.bytes = bytes.subarray(1);
  await rejects(sized.read(0, 10), SourceChangedError, /by its size/);

  const wrong = 'md5' as 'etag';
  throws(
    () => once({ validate: wrong }),
    ArgumentError,
    /validate: expected \[etag, last-modified, size\], got md5/,
  );
});

test('options of fetch pass through, and do not replace what the source sets', async () => {
  const passed: RequestInit[] = [];
  const seen = async (url: URL | RequestInfo, init: RequestInit = {}) => {
    passed.push(init);
    return fetch(url, init);
  };
  const fetchOptions = { cache: 'no-store', credentials: 'include', headers: { range: 'bytes=7-' } } as const;
  assert.equal(await once({ fetch: seen, fetchOptions }).read(10, 10), bytes.slice(10, 20));
  const [{ cache, credentials }] = passed as [RequestInit];
  assert.equal([cache, credentials], ['no-store', 'include']);
});

test('Retry-After and rate limits in all their forms', () => {
  const now = Date.UTC(2026, 0, 1);
  const inAMinute = new Date(now + 60_000).toUTCString();
  const cases: [Record<string, string>, number | undefined][] = [
    [{}, undefined],
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after': inAMinute }, 60_000],
    [{ 'retry-after': new Date(0).toUTCString() }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '7', 'ratelimit-reset': '9' }, 7000],
    [{ 'retry-after': 'soon', 'ratelimit-reset': '9' }, 9000],
    [{ 'ratelimit-limit': '10', 'ratelimit-remaining': '0', 'ratelimit-reset': '9' }, 9000],
    [{ 'ratelimit-remaining': '3', 'ratelimit-reset': '9' }, undefined],
    [{ ratelimit: 'limit=100, remaining=0, reset=50' }, 50_000],
    [{ ratelimit: 'limit=100, remaining=1, reset=50' }, undefined],
    [{ ratelimit: '"default";r=0;t=30' }, 30_000],
    [{ ratelimit: '"default"; r=50; t=30' }, undefined],
    [{ ratelimit: '"minute";r=0;t=30, "day";r=500;t=9000' }, 30_000],
    [{ ratelimit: '"minute";r=0;t=30, "day";r=0;t=9000' }, 9_000_000],
    [{ ratelimit: '"empty";r=0' }, undefined],
    [{ ratelimit: ';;==,,"' }, undefined],
    [{ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '12.5' }, 12_500],
    [{ 'x-ratelimit-reset': String(now / 1000 + 60) }, 60_000],
    [{ 'x-ratelimit-reset': String(now + 60_000) }, 60_000],
    [{ 'x-ratelimit-reset': String(now / 1000 - 60) }, 0],
    [{ 'x-ratelimit-reset': 'never' }, undefined],
    [{ 'x-ratelimit-reset': '-5' }, undefined],
  ];
  for (const [headers, expected] of cases) {
    assert.is(retryAfterOf(new Headers(headers), now), expected, JSON.stringify(headers));
  }
});

test('a server over its rate limit is asked again when it is renewed, unless that takes too long', async () => {
  const events: SourceEvent[] = [];
  const source = httpSource(server.url, { retry: { delay: 0 }, onEvent: (event) => events.push(event) });
  server.fault = (n) =>
    n === 0 ? { status: 429, headers: { ratelimit: '"api";r=0;t=1', 'x-ratelimit-reset': '0' } } : undefined;
  assert.equal(await source.read(0, 10), bytes.slice(0, 10));
  const [retry] = events.filter(({ type }) => type === 'retry');
  assert.is(retry?.type === 'retry' && retry.delay, 1000);
  server.fault = () => ({ status: 429, headers: { 'x-ratelimit-reset': '3600' } });
  const error = await rejects(source.read(0, 10), SourceError, /answered 429/);
  assert.is(error.retryAfter, 3_600_000);
  assert.is(server.requests.length, 3);
});

test.run();
