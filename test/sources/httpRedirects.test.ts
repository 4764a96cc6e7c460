import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createLimiter, type HttpSourceOptions, httpSource, type SourceEvent } from '../../sources/index.js';
import { SourceChangedError, SourceError } from '../../src/errors.js';
import { afterEach } from '../helpers/afterEach.js';
import { rejects } from '../helpers/assertions.js';
import { type FaultyServer, faultyServer } from '../helpers/faultyServer.js';
import { pseudoRandomBytes } from '../helpers/random.js';

/** A hub redirects to a store, whose signed URLs work for a while: the hub is asked once for each of them. */

const bytes = pseudoRandomBytes(300_000);
const TOKEN = { authorization: 'Bearer secret' };

const test = suite('httpSource: redirects are followed once');

let store: FaultyServer;
let hub: Server;
let hubUrl: string;
/** Requests to the hub, and its connections. */
let asked: IncomingMessage[];
let connections: number;
/** The signature that the hub gives out, and those that the store takes. */
let signature: number;
let valid: (signature: string) => boolean;
/** The status of a store that refuses. */
let refusal: number;
/** What the store has got in headers. */
let leaked: string;

test.before.each(async () => {
  asked = [];
  connections = 0;
  signature = 1;
  refusal = 403;
  valid = () => true;
  leaked = '';
  store = await faultyServer(bytes);
  store.fault = (_, request) => {
    leaked += JSON.stringify(request.headers);
    return valid(request.url!.split('=')[1]!) ? undefined : { status: refusal };
  };
  hub = createServer((request, response) => {
    asked.push(request);
    const location = `${store.url}?signature=${signature}`;
    response
      .writeHead(302, { location, 'content-type': 'text/plain' })
      .end(`Found. Redirecting to ${location}`);
  });
  hub.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));
  hubUrl = `http://127.0.0.1:${(hub.address() as AddressInfo).port}/file`;
});
afterEach(test, async () => {
  await store[Symbol.asyncDispose]();
  hub.closeAllConnections();
  await new Promise((resolve) => hub.close(resolve));
});

const once = (options: HttpSourceOptions = {}) =>
  httpSource(hubUrl, { headers: TOKEN, ...options, retry: false });

async function read(source: ReturnType<typeof once>, offset: number): Promise<void> {
  assert.equal(await source.read(offset, 100), bytes.slice(offset, offset + 100));
}

test('the hub is asked once, and the token is sent to it alone', async () => {
  const source = once();
  for (const offset of [0, 1000, 2000]) await read(source, offset);
  await Promise.all([3000, 4000, 5000].map((offset) => read(source, offset)));
  assert.is(asked.length, 1);
  assert.is(asked[0]!.headers.authorization, TOKEN.authorization);
  assert.is(store.requests.length, 6);
  assert.not.match(leaked, 'secret');
});

test('messages and what is logged of errors have neither the signature nor the query of the file', async () => {
  const logged = async (url: string) => {
    const source = httpSource(url, { headers: TOKEN, retry: false });
    const error = await rejects(source.read(0, 100), SourceError, /Cannot read from the server/);
    assert.is(error.file, `${hubUrl}?…`);
    return inspect(error, { depth: 9 });
  };
  valid = () => false;
  assert.not.match(await logged(`${hubUrl}?key=secret`), /secret|signature=1/);
  hub.removeAllListeners('request');
  hub.on('request', (_, response) =>
    response.writeHead(302, { location: `http://u:secret@x/?signature=1` }).end(),
  );
  assert.not.match(await logged(`${hubUrl}?key=secret`), /secret|signature=1/);
  hub.closeAllConnections();
  hub.removeAllListeners('request');
  hub.on('request', (request) => request.socket.destroy());
  assert.not.match(await logged(`${hubUrl}?key=secret`), /secret/);
});

for (const status of [400, 401, 403, 404, 410]) {
  test(`a URL that has expired (${status}): the hub is asked for another one, at once`, async () => {
    const events: SourceEvent[] = [];
    const source = httpSource(hubUrl, { headers: TOKEN, onEvent: (event) => events.push(event) });
    await read(source, 0);
    await read(source, 1000);
    signature = 2;
    valid = (given) => given === '2';
    refusal = status;
    await read(source, 2000);
    await read(source, 3000);
    assert.is(asked.length, 2);
    assert.equal(
      store.requests.map((request) => request.path.split('=')[1]),
      ['1', '1', '1', '2', '2'],
    );
    assert.equal(
      events.filter(({ type }) => type === 'retry'),
      [],
    );
    assert.not.match(leaked, 'secret');
  });
}

test('many requests at a time when it expires', async () => {
  const source = once();
  await read(source, 0);
  signature = 2;
  valid = (given) => given === '2';
  await Promise.all(Array.from({ length: 6 }, (_, i) => read(source, 1000 * i)));
  assert.ok(asked.length <= 7, `${asked.length} requests to the hub`);
  const before = asked.length;
  await Promise.all(Array.from({ length: 6 }, (_, i) => read(source, 1000 * i)));
  assert.is(asked.length, before);
});

test('what is refused behind a new redirect, too, is refused', async () => {
  const source = httpSource(hubUrl);
  await read(source, 0);
  valid = () => false;
  const error = await rejects(source.read(0, 10), SourceError, /answered 403/);
  assert.is(error.retryable, false);
  assert.is(asked.length, 2);
  assert.is(store.requests.length, 3);
});

test('a store that cannot be reached any more, and one that is busy: the hub may know another one', async () => {
  await using other = await faultyServer(bytes);
  const source = httpSource(hubUrl, { retry: { delay: 1 } });
  await read(source, 0);
  const busy = store;
  busy.fault = () => ({ status: 503, headers: { 'retry-after': '0' } });
  store = other;
  await read(source, 1000);
  assert.is(busy.requests.length, 2);
  assert.is(asked.length, 2);
  await other[Symbol.asyncDispose]();
  store = busy;
  store.fault = () => undefined;
  await read(source, 2000);
  assert.is(busy.requests.length, 3);
  assert.is(asked.length, 3);
});

test('URLs that work once: after two of them, redirects are followed each time', async () => {
  const used = new Set<string>();
  hub.removeAllListeners('request');
  hub.on('request', (request, response) => {
    asked.push(request);
    signature += 1;
    response.writeHead(302, { location: `${store.url}?signature=${signature}` }).end();
  });
  valid = (given) => !used.has(given) && used.add(given) !== undefined;
  const source = once();
  for (let i = 0; i < 6; i++) await read(source, 1000 * i);
  assert.is(asked.length, 6);
  assert.is(store.requests.length, 6 + 2);
});

test('a file that has changed behind the hub is noticed', async () => {
  const source = once();
  await read(source, 0);
  signature = 2;
  valid = (given) => given === '2';
  store.etag = '"2"';
  await rejects(source.read(1000, 100), SourceChangedError);
});

test('redirects leave their connection to the next request', async () => {
  const limiter = createLimiter(3);
  await Promise.all(Array.from({ length: 20 }, () => read(once({ limiter }), 1000)));
  assert.is(asked.length, 20);
  assert.ok(connections <= 3, `${connections} connections to the hub`);
  assert.ok(store.connections <= 3, `${store.connections} connections to the store`);
});

test('a redirect without end of its body does not hold up the request', async () => {
  hub.removeAllListeners('request');
  hub.on('request', (_, response) => {
    response.writeHead(302, { location: `${store.url}?signature=1` }).write('x'.repeat(100));
  });
  await read(once(), 1000);
});

test('within an origin, the headers follow', async () => {
  store.fault = (_, { url }) => (url === '/file' ? { redirect: '/there' } : undefined);
  const seen: (string | undefined)[] = [];
  const fault = store.fault;
  store.fault = (n, request) => {
    seen.push(request.headers.authorization);
    return fault(n, request);
  };
  const source = httpSource(store.url, { headers: TOKEN, retry: false });
  await read(source, 0);
  await read(source, 1000);
  assert.equal(
    store.requests.map(({ path }) => path),
    ['/file', '/there', '/there'],
  );
  assert.equal(seen, Array(3).fill(TOKEN.authorization));
});

test.run();
