import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type HttpSourceOptions, httpSource, type SourceEvent } from '../../sources/index.js';
import { ArgumentError, SourceError } from '../../src/errors.js';
import { rejects, throws } from '../helpers/assertions.js';
import { type FaultyServer, faultyServer, serverForEach } from '../helpers/faultyServer.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { collect } from '../helpers/streams.js';

/** What no second attempt mends fails at the first, with the reason. Retries are on, and would take seconds. */

const bytes = pseudoRandomBytes(100_000);
let server: FaultyServer;

const test = suite('httpSource: hopeless requests');

serverForEach(test, bytes, (fresh) => {
  server = fresh;
});

/** The error of a read, which must come without a retry. */
async function failure(url: string, options: HttpSourceOptions = {}): Promise<SourceError> {
  const events: SourceEvent[] = [];
  const source = httpSource(url, { ...options, onEvent: (event) => events.push(event) });
  const error = await rejects(source.read(0, 10), SourceError);
  assert.equal(
    events.filter(({ type }) => type === 'retry'),
    [],
    error.message,
  );
  assert.is(error.retryable, false);
  return error;
}

test('what is no URL, and what fetch refuses to send, is refused before any request', () => {
  for (const url of ['model.hct', '/model.hct', '//example.org/a', '', 'http://', 'http://[::1/']) {
    throws(() => httpSource(url), ArgumentError, /Cannot read over HTTP: it is no URL/);
    throws(() => httpSource(['https://example.org/a', url]), ArgumentError, /no URL/);
  }
  for (const url of ['https://user:secret@example.org/a', 'http://user@example.org/a']) {
    const error = throws(() => httpSource(url), ArgumentError, /user name or password.*headers/);
    assert.not.match(error.message, /secret|user@/);
  }
  throws(() => httpSource(server.url, { headers: { 'x-key': 'a\nb' } }), ArgumentError, /malformed headers/);
  const fetchOptions = { cache: 'never' as 'no-store' };
  throws(() => httpSource(server.url, { fetchOptions }), ArgumentError, /fetch refuses its fetchOptions/);
  assert.is(server.requests.length, 0);
});

test('relative URLs belong to the page, where there is one', async () => {
  const page = globalThis as { location?: unknown };
  page.location = { href: server.url, origin: new URL(server.url).origin };
  try {
    assert.equal(await httpSource('other').read(0, 10), bytes.slice(0, 10));
    assert.is(server.requests[0]!.path, '/other');
  } finally {
    delete page.location;
  }
});

test('schemes and ports that fetch does not read', async () => {
  for (const url of ['ftp://example.org/a', 's3://bucket/a', 'file:///a', 'c:\\model.hct', 'mailto:a@b.c']) {
    const error = await failure(url);
    assert.match(error.message, `does not read ${new URL(url).protocol} URLs`);
  }
  assert.match((await failure('file:///a')).message, 'fileSource');
  assert.match((await failure('http://127.0.0.1:6000/a')).message, 'bad port');
  // A caller's own fetch may know more schemes.
  const own = httpSource('app://models/a', { fetch: async () => fetch(server.url) });
  assert.equal(await own.read(0, 10), bytes.slice(0, 10));
});

test('a server that speaks no TLS', async () => {
  assert.match(
    (await failure(server.url.replace('http:', 'https:'))).message,
    /request failed: .*wrong version/,
  );
});

test('statuses that stay', async () => {
  const reasons = {
    400: /answered 400/,
    401: /answered 401.*credentials/,
    403: /answered 403.*may not read/,
    404: /answered 404.*no such file/,
    405: /answered 405/,
    410: /answered 410.*no longer/,
    451: /answered 451.*legal/,
    501: /answered 501/,
    505: /answered 505/,
    302: /answered 302/,
  };
  for (const [status, reason] of Object.entries(reasons)) {
    server.fault = () => ({ status: Number(status) });
    const error = await failure(server.url);
    assert.match(error.message, reason);
    assert.is(error.status, Number(status));
  }
  assert.is(server.requests.length, Object.keys(reasons).length);
});

test('redirects in a circle, without end, and to nowhere', async () => {
  const { origin } = new URL(server.url);
  const cases: [redirect: (n: number) => string, requests: number, reason: RegExp][] = [
    [() => '/file', 1, /lead in a circle/],
    [(n) => (n % 2 === 0 ? '/other' : '/file'), 2, /lead in a circle/],
    [(n) => `/${n}`, 21, /redirects too often/],
    [() => 'http://', 1, /no URL/],
    [() => 'ftp://example.org/a', 1, /does not read ftp: URLs/],
    [() => `${origin.replace('//', '//user:pass@')}/a`, 1, /a URL with a user name.*got http:..127/],
  ];
  for (const [redirect, requests, reason] of cases) {
    const from = server.requests.length;
    server.fault = (n) => ({ redirect: redirect(n - from) });
    assert.match((await failure(server.url)).message, reason);
    assert.is(server.requests.length - from, requests, String(reason));
  }
});

test('20 redirects are followed, of every kind', async () => {
  server.fault = (n) =>
    n < 20 ? { redirect: `/${n}`, status: [301, 302, 303, 307, 308][n % 5] as number } : undefined;
  assert.equal(await httpSource(server.url, { retry: false }).read(5, 10), bytes.slice(5, 15));
  assert.is(server.requests.length, 21);
  assert.ok(server.requests.every(({ range, method }) => range === 'bytes=5-14' && method === 'GET'));
});

test('the headers of the caller stay with the first origin', async () => {
  const seen: IncomingHttpHeaders[] = [];
  const other = createServer((request, response) => {
    seen.push(request.headers);
    if (request.url === '/back') response.writeHead(302, { location: `${server.url}/back` }).end();
    else server.handle(request, response);
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  try {
    const there = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const headers = {
      authorization: 'Bearer secret',
      'x-api-key': 'secret',
      cookie: 'secret',
      accept: 'a/b',
    };
    const own: IncomingHttpHeaders[] = [];
    for (const path of ['/there', '/back']) {
      server.fault = (_, request) => {
        own.push(request.headers);
        return request.url === '/file'
          ? { redirect: '/inside' }
          : request.url === '/inside'
            ? { redirect: there + path }
            : undefined;
      };
      const source = httpSource(server.url, { headers, retry: false });
      assert.equal(await source.read(7, 10), bytes.slice(7, 17));
    }
    for (const head of seen) {
      assert.not.match(JSON.stringify(head), 'secret');
      assert.is(head.accept, 'a/b');
      assert.is(head.range, 'bytes=7-16');
    }
    assert.is(seen.length, 2);
    const secrets = own.map(({ url, ...head }) => JSON.stringify(head).includes('secret'));
    // The third of each: the one that the other origin passes on, and the one that it sends back here.
    assert.equal(secrets, [true, true, false, true, true, false]);
  } finally {
    other.closeAllConnections();
    other.close();
  }
});

test('a server that sends a byte per connection is left after the retries', async () => {
  server.fault = () => ({ dropAfter: 1 });
  const retry = { retries: 5, delay: 1 };
  await rejects(httpSource(server.url, { retry }).read(0, 10_000), SourceError, /connection broke/);
  assert.is(server.requests.length, 6);
  await using other = await faultyServer(bytes);
  other.fault = () => ({ dropAfter: 1 });
  await rejects(
    httpSource([server.url, other.url], { retry }).read(0, 10_000),
    SourceError,
    /connection broke/,
  );
  assert.is(server.requests.length + other.requests.length, 6 + 12);
  server.fault = () => ({ dropAfter: 400 });
  const source = httpSource(server.url, { retry });
  assert.ok(
    Buffer.concat(await collect(source.stream())).equals(bytes),
    'as long as a KiB comes in 5 attempts, it goes on',
  );
});

test.run();
