import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BrowserTest } from '../helpers/browser.js';
import { HAS_OPFS, type Tab } from '../helpers/engine.js';
import { type FaultyServer, faultyServer } from '../helpers/faultyServer.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { until } from '../helpers/streams.js';

const test = suite('sources and caches in a browser');

const script = `
  import { cacheApiStore, httpSource, opfsStore, openCache, withCache } from 'holostream/sources';

  const digest = async (chunks) => {
    const hash = await crypto.subtle.digest('SHA-256', await new Blob(chunks).arrayBuffer());
    return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
  };
  const all = async (stream) => {
    const chunks = [];
    const reader = stream.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
    return digest(chunks);
  };
  const stores = { cacheApi: cacheApiStore, opfs: opfsStore };
  globalThis.run = {
    load: (url) => all(httpSource(url, { retry: { delay: 1 } }).stream()),
    async read(url) {
      const source = httpSource(url, { retry: false });
      const answers = [];
      for (const offset of [1000, 2000]) {
        answers.push(await source.read(offset, 100).then((bytes) => [...bytes], (error) => error.message));
      }
      return [...answers, source.size];
    },
    async again(url, options) {
      const source = httpSource(url, { ...options, retry: false });
      for (const offset of [0, 1000, 2000]) await source.read(offset, 100);
    },
    async failure(url, options) {
      const events = [];
      const retry = { retries: 1, delay: 1 };
      const source = httpSource(url, { retry, ...options, onEvent: ({ type }) => events.push(type) });
      const { message, retryable } = await source.read(0, 10).catch((error) => error);
      return { message, retryable, retries: events.filter((type) => type === 'retry').length };
    },
    async together(url, count, fetchOptions) {
      const source = httpSource(url, { fetchOptions, retry: false });
      await source.read(0, 100);
      await Promise.all(Array.from({ length: count }, (_, i) => source.read(1000 * (i + 1), 100)));
    },
    async cancel(url) {
      const reader = httpSource(url).stream().getReader();
      await reader.read();
      await reader.cancel();
    },
    async cached(kind, name, url, maxSize) {
      const events = [];
      const onEvent = ({ type }) => events.push(type);
      const cache = openCache(await stores[kind](name), { maxSize, onEvent });
      const source = withCache(httpSource(url), cache, { onEvent });
      return { digest: await all(source.stream()), events };
    },
    // As with a full quota.
    async full(kind, name, url) {
      const refuse = async () => {
        throw new DOMException('no space', 'QuotaExceededError');
      };
      const prototype = kind === 'opfs' ? FileSystemWritableFileStream.prototype : Cache.prototype;
      const method = kind === 'opfs' ? 'write' : 'put';
      const real = prototype[method];
      prototype[method] = refuse;
      try {
        const result = await run.cached(kind, name, url);
        return { ...result, left: (await (await stores[kind](name)).list()).length };
      } finally {
        prototype[method] = real;
      }
    },
    async sizes(kind, name) {
      return (await (await stores[kind](name)).list()).map(({ size, used }) => [size, Date.now() - used]);
    },
    withoutWritable(name, ...values) {
      delete FileSystemFileHandle.prototype.createWritable;
      return run[name](...values);
    },
    inWorker: (...call) =>
      new Promise((resolve, reject) => {
        const worker = new Worker('/bundle.js', { type: 'module' });
        worker.onmessage = ({ data: { value, error } }) => {
          worker.terminate();
          if (error === undefined) resolve(value);
          else reject(new Error(error));
        };
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(call);
      }),
    async poison(kind, name) {
      const store = await stores[kind](name);
      const entry = (await store.list()).find(({ name }) => !name.endsWith('file'));
      const bytes = await store.read(entry.name);
      bytes[5] ^= 1;
      await store.write(entry.name, bytes);
    },
  };
  if (globalThis.document === undefined) {
    globalThis.onmessage = ({ data: [name, ...values] }) =>
      run[name](...values).then(
        (value) => postMessage({ value }),
        (error) => postMessage({ error: error.message }),
      );
  }
  globalThis.ready = true;
`;

const bytes = pseudoRandomBytes(3_000_000);
const expected = createHash('sha256').update(bytes).digest('hex');

let server: FaultyServer;
let browser: BrowserTest;

test.before(async () => {
  server = await faultyServer(bytes);
  browser = await BrowserTest.open(script, (request, response) => server.handle(request, response));
});
test.before.each(() => {
  server.requests.length = 0;
  server.fault = () => undefined;
});
test.after(async () => {
  await browser.close();
  await server[Symbol.asyncDispose]();
});

const run = (call: string, tab = browser.tab) => tab.evaluate(`run.${call}`);

test('a broken and stuttering server is read through', async () => {
  server.fault = (n) =>
    [{ dropAfter: 500_000 }, { status: 503, headers: { 'retry-after': '0' } }, { dropAfter: 1e6 }][n];
  assert.is(await run(`load('/file')`), expected);
  assert.is(server.requests.length, 4);
});

test('cancelling ends the request', async () => {
  server.fault = () => ({ stallAfter: 200_000 });
  await run(`cancel('/file')`);
  await until(() => server.active === 0);
  assert.is(server.active, 0);
});

test('across origins: no preflight; ranges are trusted by their length where Content-Range is hidden', async () => {
  server.fault = () => ({
    headers: { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'content-range, etag' },
  });
  assert.equal(await run(`read('${server.url}')`), [
    [...bytes.subarray(1000, 1100)],
    [...bytes.subarray(2000, 2100)],
    bytes.length,
  ]);
  assert.is(await run(`load('${server.url}')`), expected);
  assert.equal(new Set(server.requests.map(({ method }) => method)), new Set(['GET']));
  server.fault = () => ({ headers: { 'access-control-allow-origin': '*' } });
  assert.equal(((await run(`read('${server.url}')`)) as unknown[]).slice(0, 2), [
    [...bytes.subarray(1000, 1100)],
    [...bytes.subarray(2000, 2100)],
  ]);
  assert.is(await run(`load('${server.url}')`), expected, 'the whole has no length: it comes by a plain GET');
});

test('redirects, which a page cannot see, are followed', async () => {
  server.fault = (_, { url }) => (url === '/file' ? { redirect: '/moved' } : undefined);
  assert.is(await run(`load('/file')`), expected);
  assert.is(await run(`load('/file')`), expected);
  const paths = server.requests.map(({ path }) => path);
  assert.equal(paths.slice(0, 3), ['/file', '/file', '/moved'], 'the first is asked for again');
  assert.is(paths.filter((path) => path === '/file').length, 3);
});

test('a redirect is followed once; where it leads to another origin, no header of ours goes there', async () => {
  const allow = {
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'content-range, etag',
  };
  const tokens: unknown[] = [];
  server.fault = (_, request) => {
    if (request.url === '/hub') return { redirect: `${server.url}?signed` };
    tokens.push(request.headers['x-token'] ?? request.headers['access-control-request-headers']);
    return { headers: { ...allow, 'access-control-allow-headers': '*' } };
  };
  await run(`again('/hub', { headers: { 'x-token': 'secret' } })`);
  const seen = server.requests.map(({ method, path }) => `${method} ${path}`);
  const [first, ...others] = seen.filter((one) => one.includes('/hub'));
  assert.is(first, 'GET /hub');
  assert.ok(others.length <= 1, 'once more where the browser hides that it redirects');
  // Browsers do as CORS says with the first; with those of ours, there is nothing to allow.
  assert.equal(tokens.slice(-2), [undefined, undefined]);
  assert.equal(seen.slice(-2), ['GET /file?signed', 'GET /file?signed']);
});

interface Failure {
  readonly message: string;
  readonly retryable: boolean;
  readonly retries: number;
}

const failure = async (url: string, options = '{}') =>
  (await run(`failure('${url}', ${options})`)) as Failure;

test('what CORS refuses fails at once, and the message says so', async () => {
  const { message, ...rest } = await failure(server.url);
  assert.match(message, /CORS.*docs\/hosting\.md.*expected Access-Control-Allow-Origin: http:/);
  assert.equal(rest, { retryable: false, retries: 0 });
  // An origin that may be read, and a header that may not be sent.
  server.fault = () => ({ headers: { 'access-control-allow-origin': '*' } });
  assert.match(
    (await failure(server.url, `{ headers: { 'x-token': 'a' } }`)).message,
    /CORS.* or its headers/,
  );
  // The page's own server, which redirects to one that does not allow it.
  server.fault = (_, { url }) => (url === '/moved' ? { redirect: server.url } : undefined);
  assert.match((await failure('/moved')).message, /CORS/);
});

test('a connection that breaks is tried again; across origins, CORS is named as well', async () => {
  await using gone = await faultyServer(bytes);
  await gone[Symbol.asyncDispose]();
  const { message, ...rest } = await failure(gone.url);
  assert.match(message, /cannot be reached, or does not allow this page by CORS/);
  assert.equal(rest, { retryable: true, retries: 1 });
  server.fault = () => ({ silent: true });
  const own = await failure('/file', '{ idleTimeout: 100 }');
  assert.not.match(own.message, /CORS/);
  assert.is(own.retries, 1);
});

test('what the content policy of the page refuses fails at once, and the message says so', async () => {
  const policy = { 'content-security-policy': "connect-src 'self'" };
  const strict = await BrowserTest.open(script, (...parts) => server.handle(...parts), policy);
  try {
    server.fault = () => ({ headers: { 'access-control-allow-origin': '*' } });
    const result = (await run(`failure('${server.url}')`, strict.tab)) as Failure;
    assert.match(result.message, /Content-Security-Policy does not allow it \(connect-src/);
    assert.equal([result.retryable, result.retries], [false, 0]);
    assert.is(await run(`load('/file')`, strict.tab), expected);
  } finally {
    await strict.close();
  }
});

// Chrome's cache lets ranges of one URL through one by one, unless If-Range, which goes to the own origin only, bypasses it.
test("ranges of one URL of another origin at the same time, with cache: 'no-store'", async () => {
  const count = 5;
  let waiting = 0;
  let ready = () => {};
  const all = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const held = await BrowserTest.open(script, async (request, response) => {
    if (request.headers.range !== 'bytes=0-99') {
      waiting += 1;
      if (waiting === count) ready();
      await all;
    }
    server.handle(request, response);
  });
  try {
    server.fault = () => ({
      headers: { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'content-range, etag' },
    });
    await run(`together('${held.url}file', ${count}, { cache: 'no-store' })`);
    assert.is(waiting, count);
  } finally {
    await held.close();
  }
});

for (const kind of HAS_OPFS ? ['cacheApi', 'opfs'] : ['cacheApi']) {
  const load = async (name: string, tab?: Tab, maxSize?: number) => {
    return (await run(`cached('${kind}', '${name}', '/file', ${maxSize})`, tab)) as {
      digest: string;
      events: string[];
    };
  };
  const fetched = () => server.requests.filter(({ range }) => range !== 'bytes=0-1').length;

  test(`${kind}: fetched once, also after a reload; a poisoned entry is fetched again`, async () => {
    const cached = { digest: expected, events: ['cache-hit', 'cache-hit', 'cache-hit'] };
    assert.equal(await load('a'), { digest: expected, events: [] });
    assert.is(fetched(), 1);
    // In private sessions of WebKit, a cache that no page has open is gone.
    const other = await browser.openTab();
    assert.equal(await load('a', other), cached);
    await browser.load();
    assert.equal(await load('a'), cached);
    assert.is(fetched(), 1);
    await other.close();
    await run(`poison('${kind}', 'a')`);
    const { digest, events } = await load('a');
    assert.is(digest, expected);
    assert.equal(events.sort(), ['cache-drop', 'cache-hit', 'cache-hit']);
    assert.is(fetched(), 2);
    const small = await load('small', undefined, 2_000_000);
    assert.equal(small, { digest: expected, events: ['cache-evict'] });
  });

  test(`${kind}: sizes and times are listed`, async () => {
    await load('listed');
    const entries = (await run(`sizes('${kind}', 'listed')`)) as [number, number][];
    const total = entries.reduce((sum, [size]) => sum + size, 0);
    assert.ok(total > bytes.length && total < bytes.length + 10_000, `${total} bytes`);
    for (const [, age] of entries) assert.ok(age >= -2000 && age < 600_000, `${age} ms`);
  });

  test(`${kind}: a full quota is said once, and leaves nothing behind`, async () => {
    const result = await run(`full('${kind}', 'full', '/file')`);
    assert.equal(result, { digest: expected, events: ['cache-failure'], left: 0 });
  });

  test(`${kind}: two tabs at once`, async () => {
    const other = await browser.openTab();
    const loads = await Promise.all(
      [browser.tab, other, browser.tab, other].map((tab) => load('b', tab, 2_500_000)),
    );
    for (const { digest } of loads) assert.is(digest, expected);
    assert.is((await load('b', other)).digest, expected);
    await other.close();
  });
}

if (HAS_OPFS) {
  test('opfs: where pages cannot write, workers can; both say so', async () => {
    const page = await browser.openTab();
    const refusal = run(`withoutWritable('cached', 'opfs', 'sync', '/file')`, page).then(String, String);
    assert.match(await refusal, 'no writable origin-private file system is available here');
    await page.close();
    const call = `inWorker('withoutWritable', 'cached', 'opfs', 'sync', '/file')`;
    assert.equal(await run(call), { digest: expected, events: [] });
    const hits = { digest: expected, events: ['cache-hit', 'cache-hit', 'cache-hit'] };
    assert.equal(await run(call), hits);
    // The page can read what the worker has written.
    assert.equal(await run(`cached('opfs', 'sync', '/file')`), hits);
    assert.equal(await Promise.all([run(call), run(call)]), [hits, hits]);
    const both = `inWorker('withoutWritable', 'cached', 'opfs', 'together', '/file')`;
    const digests = (await Promise.all([run(both), run(both)])) as { digest: string; events: string[] }[];
    for (const { digest, events } of digests) {
      assert.is(digest, expected);
      assert.not(events.includes('cache-failure'));
    }
  });
}

if (!HAS_OPFS) {
  test('opfs: refused where it is not available', async () => {
    const refusal = run(`cached('opfs', 'a', '/file', 1e9)`).then(String, ({ message }) => message);
    assert.match(await refusal, 'no writable origin-private file system is available here');
  });
}

test.run();
