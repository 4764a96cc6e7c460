import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createFetch } from '../../adapters/fetch.js';
import { sealHeader } from '../../models/file/headerChecksum.js';
import { openModel } from '../../models/openModel.js';
import { HctWriter } from '../../sinks/hct.js';
import { memorySink } from '../../sinks/memory.js';
import { ArgumentError, UnsupportedError } from '../../src/errors.js';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { afterEach } from '../helpers/afterEach.js';
import { rejects, throws } from '../helpers/assertions.js';
import { type FileServer, fileServer } from '../helpers/fileServer.js';
import { holoFile } from '../helpers/holoFiles.js';
import { encodeToModelFile, modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { TRAINED_FILES } from '../helpers/trained.js';

const test = suite('createFetch');

const original = TRAINED_FILES.layers;
const { byteLength: headerSize } = parseSafetensorsHeader(original);
let encoded: Uint8Array;
let server: FileServer;

test.before(async () => {
  encoded = await modelFileOf(original);
});

test.before.each(async () => {
  server = await fileServer({ 'model.holo.safetensors': encoded, 'plain.safetensors': original });
});

afterEach(test, async () => server[Symbol.asyncDispose]());

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

/** Requests for a name, by how many there were. */
const requestsFor = (name: string) => server.requests.filter((one) => one.split(' ')[0] === name).length;

test('the original from the model file; ranges and HEAD; the header is fetched once', async () => {
  const own = createFetch();
  const url = `${server.url}model.safetensors`;
  const whole = await own(url);
  assert.equal([whole.status, whole.ok], [200, true]);
  assert.ok((await bytesOf(whole)).equals(original));
  const part = await own(new URL(url), { headers: { Range: 'bytes=1000-99999' } });
  assert.is(part.status, 206);
  assert.ok((await bytesOf(part)).equals(original.subarray(1000, 100_000)));
  const head = await own(new Request(url, { method: 'HEAD' }));
  assert.equal([head.headers.get('content-length'), head.body], [String(original.length), null]);
  const beyond = await own(new Request(url, { headers: { range: `bytes=${original.length}-` } }));
  assert.is(beyond.status, 416);
  assert.is(requestsFor('model.safetensors'), 0);
  assert.is(server.requests.filter((one) => / bytes=0-/.test(one)).length, 1, 'one request has the header');
});

test('a lower quality takes a part of the bytes, and says so to caches', async () => {
  const own = createFetch({ quality: 0.9 });
  server.files.set('model.holo.safetensors?download=true', encoded);
  const response = await own(`${server.url}model.safetensors?download=true`);
  assert.is(response.headers.get('cache-control'), 'no-store');
  assert.match(response.headers.get('etag')!, /-0\.9"$/);
  const bytes = await bytesOf(response);
  assert.ok(bytes.subarray(0, headerSize).equals(original.subarray(0, headerSize)));
  assert.not.ok(bytes.equals(original));
  assert.ok(server.sent < 0.7 * encoded.length, `${server.sent} of ${encoded.length}`);
  assert.match(server.requests[0]!, /^model\.holo\.safetensors\?download=true/);
});

test('conditions: none that matches is answered without a body; a range of another version with the whole', async () => {
  const own = createFetch();
  const url = `${server.url}model.safetensors`;
  const tag = (await own(url, { method: 'HEAD' })).headers.get('etag')!;
  const unchanged = await own(url, { headers: { 'if-none-match': `"x", W/${tag}` } });
  assert.equal([unchanged.status, unchanged.body, unchanged.headers.get('etag')], [304, null, tag]);
  assert.is((await own(url, { headers: { range: 'bytes=0-1', 'if-range': tag } })).status, 206);
  const changed = await own(url, { headers: { range: 'bytes=0-1', 'if-range': '"x"' } });
  assert.equal([changed.status, changed.headers.get('content-length')], [200, String(original.length)]);
  await changed.body!.cancel();
});

test('what has no model file is passed on, as all else is', async () => {
  const own = createFetch();
  const response = await own(`${server.url}plain.safetensors`, { headers: { range: 'bytes=5-9' } });
  assert.ok((await bytesOf(response)).equals(original.subarray(5, 10)));
  assert.equal(server.requests, ['plain.holo.safetensors bytes=0-65535', 'plain.safetensors bytes=5-9']);
  await own(`${server.url}plain.safetensors`);
  assert.is(requestsFor('plain.holo.safetensors'), 1, 'it is known that there is none');
  for (const path of ['model.holo.safetensors', 'other.bin', 'model.safetensors.index.json']) {
    await (await own(server.url + path)).arrayBuffer();
    assert.is(server.requests.at(-1), path);
  }
  const posted = await own(`${server.url}plain.safetensors`, { method: 'POST', body: 'x' });
  assert.is(posted.status, 200);
  assert.is(await (await own('data:text/plain,x')).text(), 'x');
  await rejects(own('not a url'), TypeError);
  // Servers of applications send their page for everything.
  server.files.set('app.holo.safetensors', new TextEncoder().encode('<!doctype html><title>app</title>'));
  server.files.set('app.safetensors', original);
  assert.ok((await bytesOf(await own(`${server.url}app.safetensors`))).equals(original));
});

test('a file of one tensor, or of a later version, is no model file either: the plain one is given', async () => {
  const later = encoded.slice();
  const version = '"holostream.version":"';
  later.set([0x39], Buffer.from(later).indexOf(version) + version.length);
  sealHeader(later.subarray(0, 8 + Number(new DataView(later.buffer).getBigUint64(0, true))));
  const sink = memorySink();
  const writer = new HctWriter(sink, { dtype: 'F32', shape: [6], algorithm: 'lz4' });
  await writer.write(new Uint8Array(24));
  await writer.close();
  const tensor = holoFile('embedded', new Float32Array(256), [16, 16]);
  await rejects(openModel(later), UnsupportedError, /unsupported version/);
  for (const [name, bytes] of Object.entries({ hct: sink.bytes, tensor, later })) {
    server.files.set(`${name}.holo.safetensors`, bytes);
    server.files.set(`${name}.safetensors`, original);
    const response = await createFetch()(`${server.url}${name}.safetensors`);
    assert.is(response.status, 200, name);
    assert.ok((await bytesOf(response)).equals(original), name);
  }
});

test('match: a pattern, or a function that names the model file', async () => {
  const pattern = createFetch({ match: /\/m[^/]+$/g });
  for (let i = 0; i < 2; i++)
    assert.ok((await bytesOf(await pattern(`${server.url}model.safetensors`))).equals(original));
  assert.is((await pattern(`${server.url}other.safetensors`)).status, 404);
  assert.is(requestsFor('other.holo.safetensors'), 0);
  const named = createFetch({
    match: ({ pathname }) => (pathname.endsWith('.onnx_data') ? 'model.holo.safetensors' : undefined),
  });
  assert.ok((await bytesOf(await named(`${server.url}weights.onnx_data`))).equals(original));
});

test('of a model file of several files, the one that is asked for', async () => {
  const files = {
    'a.safetensors': modelOf([{ name: 'a', dtype: 'F32', shape: [9, 9] }]),
    'b c.safetensors': modelOf([{ name: 'b', dtype: 'F32', shape: [9, 9] }]),
  };
  server.files.set('all.holo.safetensors', await encodeToModelFile(files));
  const own = createFetch({ match: () => 'all.holo.safetensors' });
  for (const [name, bytes] of Object.entries(files))
    assert.ok((await bytesOf(await own(server.url + encodeURIComponent(name)))).equals(bytes));
  assert.is((await own(`${server.url}d.safetensors`)).status, 404);
});

test('what fails: the status of the server, 502 for what is damaged, a TypeError without a server; then again', async () => {
  const own = createFetch();
  const url = `${server.url}model.safetensors`;
  server.before = async (_, response) => {
    response.writeHead(401).end();
    return true;
  };
  const refused = await own(url);
  assert.equal([refused.status, refused.headers.get('cache-control')], [401, 'no-store']);
  assert.match(await refused.text(), /^Cannot /);
  server.before = async () => undefined;

  const damaged = encoded.slice();
  damaged[300]! ^= 1;
  server.files.set('model.holo.safetensors', damaged);
  const response = await own(url);
  assert.is(response.status, 502);
  assert.match(await response.text(), /checksum/);
  server.files.set('model.holo.safetensors', encoded);
  assert.ok((await bytesOf(await own(url))).equals(original), 'a failure is not remembered');

  damaged.set(encoded);
  damaged[encoded.length - 1]! ^= 1;
  server.files.set('late.holo.safetensors', damaged);
  const late = await own(`${server.url}late.safetensors`);
  assert.is(late.status, 200);
  await rejects(late.arrayBuffer(), Error, /checksum/);

  const limited = createFetch({ limits: { headerBytes: 100 } });
  assert.is((await limited(url)).status, 502);

  const refusing = createFetch({
    fetch: async () => {
      throw new TypeError('fetch failed', {
        cause: Object.assign(new Error(), { code: 'CERT_HAS_EXPIRED' }),
      });
    },
  });
  await rejects(refusing(url), TypeError, /^Cannot /);
});

test('an aborted request rejects at once, and others of the same model go on', async () => {
  let release!: () => void;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  server.before = async () => {
    await held;
    return undefined;
  };
  const own = createFetch();
  const url = `${server.url}model.safetensors`;
  const abort = new AbortController();
  const first = own(url, { signal: abort.signal });
  const second = own(new Request(url));
  abort.abort(new Error('enough'));
  await rejects(first, Error, /enough/);
  await rejects(own(url, { signal: AbortSignal.abort(new Error('before')) }), Error, /before/);
  release();
  assert.ok((await bytesOf(await second)).equals(original));
});

test('options are checked', () => {
  throws(() => createFetch({ quality: 2 }), ArgumentError, /quality/);
  throws(
    () => createFetch({ match: '.safetensors' as never }),
    ArgumentError,
    /a regular expression or a function/,
  );
  throws(() => createFetch({ fetch: 'x' as never }), ArgumentError, /fetch/);
});

test.run();
