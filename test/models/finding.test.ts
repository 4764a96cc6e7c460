import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  encodeModel,
  HctReader,
  HoloTensorReader,
  httpSource,
  openModel,
  readSafetensors,
} from '../../index.js';
import { findModel } from '../../models/inputs/findModel.js';
import { modelFolder, modelFolderSink } from '../../node.js';
import { bytesSource } from '../../sources/bytes.js';
import { FormatError, LimitError, SourceError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';
import { afterEach } from '../helpers/afterEach.js';
import { rejects } from '../helpers/assertions.js';
import { type FileServer, fileServer } from '../helpers/fileServer.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';

/** What a text names: a file, an index, a folder or a pattern of shards, on disk and on a server. */
const test = suite('finding models');

const SHARDS = fileURLToPath(new URL('../fixtures/inputs/shards/', import.meta.url));
const FIRST = 'model-00001-of-00002.safetensors';
const SECOND = 'model-00002-of-00002.safetensors';
const INDEX = 'model.safetensors.index.json';

let folder: string;
let server: FileServer;

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holostream-finding-'));
  server = await fileServer({});
});
afterEach(test, async () => {
  await rm(folder, { recursive: true });
  await server[Symbol.asyncDispose]();
});

/** Copies files of the fixtures to the folder and the server, under these names. */
async function place(files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [name, from] of Object.entries(files)) {
    const bytes = typeof from === 'string' ? await readFile(join(SHARDS, from)) : from;
    server.files.set(name, bytes);
    await writeFile(join(folder, name), bytes);
  }
}

async function assertBoth(input: Parameters<typeof openModel>[0]): Promise<void> {
  await using model = await openModel(input);
  const loaded = await model.load();
  assert.equal(
    [...loaded].map(([name, { data }]) => [name, ...data]),
    [
      ['a', 1, 2],
      ['b', 1, 2],
    ],
    String(input),
  );
}

async function formatOf(input: string): Promise<string> {
  await using model = await openModel(input);
  return model.format;
}

const indexOf = (map: Record<string, string>) =>
  Buffer.from(JSON.stringify({ metadata: {}, weight_map: map }));

test('every index of the fixtures, by its path and by its URL', async () => {
  const names = [
    INDEX,
    'model.index.json',
    'model.safetensors.index.fp16.json',
    'bom.safetensors.index.json',
  ];
  for (const name of [FIRST, SECOND, ...names]) await place({ [name]: name });
  for (const name of ['model-00001-of-00002.fp16.safetensors', 'model-00002-of-00002.fp16.safetensors']) {
    await place({ [name]: name });
  }
  for (const name of names) {
    await assertBoth(join(folder, name));
    await assertBoth(pathToFileURL(join(folder, name)));
    await assertBoth(server.url + name);
    await assertBoth(`${server.url}${name}#part`);
  }
});

test('an index that names no file is a model without tensors; one whose shard is missing says which', async () => {
  await using model = await openModel(join(SHARDS, 'empty.safetensors.index.json'));
  assert.equal(model.tensors, []);
  assert.is((await model.load()).size, 0);
  assert.is(model.format, 'safetensors');
  await rejects(
    openModel(join(SHARDS, 'missing.safetensors.index.json')),
    SourceError,
    /model-0000\d-of-\d+|missing/,
  );
});

test('an index is one, whatever its name', async () => {
  await place({ 'list.json': INDEX, list: INDEX, [FIRST]: FIRST, [SECOND]: SECOND });
  const metadata = { comment: 'x'.repeat(100) };
  const late = JSON.stringify({ metadata, weight_map: { a: FIRST, b: SECOND } });
  await place({ 'late.json': Buffer.from(late) });
  for (const name of ['list.json', 'list', 'late.json']) {
    await assertBoth(join(folder, name));
    await assertBoth(server.url + name);
  }
  // Without a name, its shards cannot be found.
  await rejects(
    openModel(bytesSource(await readFile(join(SHARDS, INDEX)))),
    FormatError,
    /^Cannot open the model: this is a shard index; open it by its URL or path/,
  );
});

test('names with spaces and reserved characters are names, on disk and in URLs', async () => {
  const [first, second] = ['a b#1?x=1&y.safetensors', "größe 100% [2]+it's.safetensors"];
  await place({ [first]: FIRST, [second]: SECOND, 'my model.index.json': indexOf({ a: first, b: second }) });
  await assertBoth(join(folder, 'my model.index.json'));
  await assertBoth(`${server.url}my%20model.index.json`);
  assert.equal(
    new Set(server.requests.map((request) => request.replace(/ bytes=.*/, ''))),
    new Set(['my model.index.json', first, second]),
  );
});

test('an index never leads out of its folder', async () => {
  await mkdir(join(folder, 'inner'));
  await place({ [FIRST]: FIRST });
  for (const name of [
    `../${FIRST}`,
    `..\\${FIRST}`,
    'a%2F..%2Fb',
    join(folder, FIRST),
    `${server.url}${FIRST}`,
    '..',
  ]) {
    await writeFile(join(folder, 'inner', INDEX), indexOf({ a: name }));
    await rejects(openModel(join(folder, 'inner', INDEX)), name.startsWith('a%') ? SourceError : FormatError);
    server.files.set(INDEX, indexOf({ a: name }));
    await rejects(openModel(server.url + INDEX), name.startsWith('a%') ? SourceError : FormatError);
  }
});

test('a folder: by its manifest, else its index, else its only model', async () => {
  await place({ 'notes.txt': Buffer.from('notes'), [FIRST]: FIRST, [SECOND]: SECOND });
  // Numbered shards need no index on disk, where they can be listed.
  await assertBoth(folder);
  await place({ [INDEX]: INDEX });
  for (const input of [folder, `${folder}/`, pathToFileURL(folder), server.url, modelFolder(folder)]) {
    await assertBoth(input);
  }
  const before = server.requests.length;
  await (await openModel(server.url)).close();
  assert.equal(server.requests.slice(before, before + 2), ['manifest.json bytes=0-', `${INDEX} bytes=0-`]);
  assert.is(server.requests.length, before + 4);

  const whole = modelOf([{ name: 'w', dtype: 'F32', shape: [40] }]);
  const sink = await modelFolderSink(join(folder, 'encoded'));
  await encodeModel(bytesSource(whole), sink.openFile);
  await sink.close();
  await using encoded = await openModel(join(folder, 'encoded'));
  assert.is(encoded.format, 'directory');
  assert.is((await encoded.load()).get('w')!.data.length, 40);
});

test('a folder with one model file, whatever its name; on a server, with a usual name', async () => {
  const file = await modelFileOf(modelOf([{ name: 'w', dtype: 'F32', shape: [40] }]));
  await place({ 'some.holo.safetensors': file });
  assert.is(await formatOf(folder), 'model-file');
  await rejects(
    openModel(server.url),
    SourceError,
    /^Cannot find a model in the folder .*: expected one of manifest\.json/,
  );
  server.files.set('model.holo.safetensors', file);
  assert.is(await formatOf(server.url), 'model-file');
  server.files.set('model.safetensors', modelOf([{ name: 'w', dtype: 'F32', shape: [40] }]));
  assert.is(await formatOf(server.url), 'safetensors');
});

test('a pattern of shards', async () => {
  await place({ [FIRST]: FIRST, [SECOND]: SECOND, 'other.bin': new Uint8Array(9) });
  for (const pattern of [
    'model-*.safetensors',
    'model-0000?-of-00002.safetensors',
    '*.safetensors',
    '*2.*',
  ]) {
    await assertBoth(join(folder, pattern));
  }
  await copyFile(join(folder, FIRST), join(folder, 'one*.safetensors'));
  await using one = await openModel(join(folder, 'one*.safetensors'));
  assert.is(one.tensors.length, 1);
  await place({ 'model.index.json': indexOf({ a: FIRST, b: SECOND }) });
  await assertBoth(join(folder, 'model*'));
  await rejects(
    openModel(join(folder, 'none-*.safetensors')),
    SourceError,
    /^Cannot find a model: .*none-\*/,
  );
  await rejects(openModel(join(folder, 'none', '*.safetensors')), SourceError, /^Cannot list the files/);
});

test('what is not clear is said', async () => {
  await rejects(
    openModel(folder),
    SourceError,
    /^Cannot find a model: the folder has no file for it .*manifest\.json/,
  );
  await place({ [FIRST]: FIRST });
  assert.is(await formatOf(join(folder, FIRST)), 'safetensors');
  await place({ 'model-00001-of-00003.safetensors': FIRST, 'model-00003-of-00003.safetensors': SECOND });
  await rejects(openModel(folder), SourceError, /^Cannot tell which model of the folder is meant/);
  await rejects(
    openModel(join(folder, '*-of-00003.safetensors')),
    FormatError,
    /^Cannot open the shards: some of them are missing .*: expected 3 files, got 2/,
  );
  await place({ 'a.index.json': INDEX, 'b.index.json': INDEX });
  await rejects(openModel(folder), SourceError, /: got \[a\.index\.json, b\.index\.json\]/);
});

test('shards may be links, as caches of hubs lay them out', async () => {
  await mkdir(join(folder, 'snapshot'));
  await place({ blob1: FIRST, blob2: SECOND, blob3: INDEX });
  await symlink('../blob1', join(folder, 'snapshot', FIRST));
  await symlink('../blob2', join(folder, 'snapshot', SECOND));
  await symlink('../blob3', join(folder, 'snapshot', INDEX));
  await assertBoth(join(folder, 'snapshot'));
});

test('files of 10 or 40 bytes take one request, by every reader, and say what they are', async () => {
  const inputs = fileURLToPath(new URL('../fixtures/inputs/', import.meta.url));
  for (const name of ['st-empty.safetensors', 'st-empty-meta.safetensors']) {
    await place({ [name]: await readFile(join(inputs, name)) });
    const before = server.requests.length;
    await using model = await openModel(server.url + name);
    assert.is(model.tensors.length, 0);
    assert.is(server.requests.length, before + 1);
    assert.is((await readSafetensors(httpSource(server.url + name))).size, 0);
    assert.is(server.requests.length, before + 2);
  }
  await place({ short: Buffer.from('<html>') });
  for (const open of [
    openModel,
    readSafetensors,
    (url: string) => HctReader.open(url),
    (url: string) => HoloTensorReader.open(url),
  ]) {
    const before = server.requests.length;
    const opening: Promise<unknown> = open(`${server.url}short`);
    await rejects(opening, FormatError, /: this is a web page/);
    assert.is(server.requests.length, before + 1);
  }
});

test('the request of a start ends where the index or manifest that begins in it is refused', async () => {
  for (const text of [
    '{"weight_map": {"w": "../w.safetensors",',
    '{"format": "holostream-model", "tensors": [',
  ]) {
    const bytes = new TextEncoder().encode(text.padEnd(60_000));
    let cancelled = 0;
    // As an object of a bucket: nothing to close. The rest of the start never comes.
    const source: RandomAccessSource = {
      size: bytes.length,
      read: bytesSource(bytes).read,
      stream: () =>
        new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(bytes.slice(0, 20_000)),
          cancel: () => {
            cancelled += 1;
          },
        }),
    };
    const place = { folder: 'bucket/', names: ['model.json'], open: async () => source };
    await rejects(findModel(place, { limits: { manifestBytes: 1000 } }), LimitError, /manifestBytes/);
    assert.is(cancelled, 1, text);
  }
});

test('a folder of a storage service that hides what is missing; a server that is out of order', async () => {
  await place({ [FIRST]: FIRST, [SECOND]: SECOND, [INDEX]: INDEX });
  let status = 403;
  server.before = async (request, response) => {
    if (server.files.has(decodeURIComponent(request.url!.slice(1)))) return undefined;
    response.writeHead(status).end();
    return true;
  };
  await assertBoth(server.url);
  status = 401;
  const error = await rejects(openModel(server.url), SourceError);
  assert.is(error.status, 401);
});

test.run();
