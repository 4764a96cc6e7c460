import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { BrowserTest } from '../helpers/browser.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { TRAINED_FILES } from '../helpers/trained.js';

/** The built script, registered by a page that then only uses `fetch`. */
const test = suite('the Service Worker, in a browser');

const original = TRAINED_FILES.layers;
const header = parseSafetensorsHeader(original);
const workerScript = readFileSync(new URL('../../dist/service-worker.js', import.meta.url));
let encoded: Uint8Array;
let browser: BrowserTest;

/** What the server was asked for since the last look: "path range". */
let requests: string[] = [];

const script = `
  globalThis.run = {
    async register(query) {
      const url = '/service-worker.js' + query;
      await navigator.serviceWorker.register(url);
      while (!navigator.serviceWorker.controller?.scriptURL.endsWith(url))
        await new Promise((resolve) => setTimeout(resolve, 10));
    },
    async get(path, options) {
      const response = await fetch(path, options);
      const bytes = new Uint8Array(await response.arrayBuffer());
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        length: bytes.length,
        sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''),
        text: bytes.length < 1000 ? new TextDecoder().decode(bytes) : '',
      };
    },
    async aborted(path) {
      const abort = new AbortController();
      const response = await fetch(path, { signal: abort.signal });
      const reader = response.body.getReader();
      await reader.read();
      abort.abort();
      return reader.read().then(() => 'read on', ({ name }) => name);
    },
  };
  globalThis.ready = true;
`;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly length: number;
  readonly sha256: string;
  readonly text: string;
}

const call = (name: string, ...parameters: unknown[]): Promise<unknown> =>
  browser.tab.evaluate(`run.${name}(...${JSON.stringify(parameters)})`);

const get = (path: string, options: object = {}) => call('get', path, options) as Promise<Answer>;

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const serve: RequestListener = (request, response) => {
  const path = request.url!.split('?')[0]!;
  if (path === '/service-worker.js') {
    return void response.setHeader('content-type', 'text/javascript').end(workerScript);
  }
  const { range = '' } = request.headers;
  requests.push(`${path} ${range}`.trim());
  const bytes = path.endsWith('model.holo.safetensors')
    ? encoded
    : path === '/plain.safetensors'
      ? original
      : undefined;
  if (bytes === undefined) return void response.writeHead(404).end();
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
  const start = Number(from ?? 0);
  const end = to ? Math.min(Number(to) + 1, bytes.length) : bytes.length;
  response.writeHead(from === undefined ? 200 : 206, {
    'content-length': end - start,
    etag: '"one"',
    ...(from === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` }),
  });
  response.end(bytes.subarray(start, end));
};

test.before(async () => {
  encoded = await modelFileOf(original);
  browser = await BrowserTest.open(script, serve);
});

test.after(() => browser.close());

test('at quality 1: the original by its hash, ranges, HEAD; the header is fetched once', async () => {
  await call('register', '');
  const whole = await get('/model.safetensors');
  assert.equal([whole.status, whole.length], [200, original.length]);
  assert.is(whole.sha256, sha256(original));
  for (const [range, start, end] of [
    ['bytes=0-7', 0, 8],
    ['bytes=70000-200001', 70_000, 200_002],
    ['bytes=-1000', original.length - 1000, original.length],
  ] as const) {
    const part = await get('/model.safetensors', { headers: { Range: range } });
    assert.equal([part.status, part.sha256], [206, sha256(original.subarray(start, end))], range);
    assert.is(part.headers['content-range'], `bytes ${start}-${end - 1}/${original.length}`);
  }
  const head = await get('/model.safetensors', { method: 'HEAD' });
  assert.equal([head.headers['content-length'], head.length], [String(original.length), 0]);
  assert.is(
    (await get('/model.safetensors', { headers: { Range: `bytes=${original.length}-` } })).status,
    416,
  );
  assert.is(requests.filter((one) => one.includes('bytes=0-')).length, 1, requests.join());
  assert.not.ok(
    requests.some((one) => one.startsWith('/model.safetensors')),
    requests.join(),
  );
});

test('at a lower quality: a part of the bytes, the same header, nothing for caches', async () => {
  requests = [];
  await call('register', '?quality=0.9&match=%2Fmodel%5C.safetensors%24');
  const rough = await get('/model.safetensors');
  assert.equal([rough.status, rough.length], [200, original.length]);
  assert.is.not(rough.sha256, sha256(original));
  assert.is(rough.headers['cache-control'], 'no-store');
  assert.match(rough.headers.etag!, /-0\.9"$/);
  const start = await get('/model.safetensors', { headers: { Range: `bytes=0-${header.byteLength - 1}` } });
  assert.is(start.sha256, sha256(original.subarray(0, header.byteLength)));
  const ends = requests.map((one) => Number(/-(\d+)$/.exec(one)?.[1] ?? encoded.length));
  assert.ok(Math.max(...ends) < 0.8 * encoded.length, requests.join());
});

test('what it does not match, and what has no model file, goes to the server', async () => {
  await call('register', '');
  assert.is((await get('/plain.safetensors')).sha256, sha256(original));
  assert.is((await get('/none.safetensors')).status, 404);
  assert.is((await get('/model.holo.safetensors')).sha256, sha256(encoded));
});

test('an aborted request ends', async () => {
  assert.is(await call('aborted', '/model.safetensors'), 'AbortError');
  // The next one works.
  assert.is((await get('/model.safetensors')).sha256, sha256(original));
});

test('a file that is damaged: 502, and why; then again', async () => {
  const intact = encoded;
  encoded = intact.slice();
  encoded[300]! ^= 1;
  await call('register', '?quality=1');
  const broken = await get('/other/model.safetensors');
  assert.is(broken.status, 502);
  assert.match(broken.text, /^Cannot .*checksum/);
  encoded = intact;
  assert.is((await get('/other/model.safetensors')).sha256, sha256(original));
});

test('a query that makes no sense is refused when it is registered', async () => {
  const refused = browser.tab.evaluate(
    "navigator.serviceWorker.register('/service-worker.js?quality=2').then(() => 'taken', () => 'refused')",
  );
  assert.is(await refused, 'refused');
});

test.run();
