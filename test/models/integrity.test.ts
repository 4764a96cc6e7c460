import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel } from '../../models/openModel.js';
import { bytesSource } from '../../sources/bytes.js';
import { ArgumentError, ChecksumError, UnsupportedError } from '../../src/errors.js';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { afterEach } from '../helpers/afterEach.js';
import { rejects } from '../helpers/assertions.js';
import { type FileServer, fileServer } from '../helpers/fileServer.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { TRAINED_FILES } from '../helpers/trained.js';

/** With a SHA-256, nothing of a file is given out before all of it has been verified. */

const file = TRAINED_FILES.layers;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const { tensors, byteLength: headerSize } = parseSafetensorsHeader(file);
let server: FileServer;
let url: string;

const test = suite('models of a known SHA-256');

test.before.each(async () => {
  server = await fileServer({ 'm.safetensors': file });
  url = `${server.url}m.safetensors`;
});
afterEach(test, async () => {
  await server[Symbol.asyncDispose]();
});

function damagedAt(offset: number): Uint8Array {
  const damaged = new Uint8Array(file);
  damaged[offset]! ^= 1;
  return damaged;
}

test('the file that is expected loads as without, in all forms of the hash, every byte once', async () => {
  const hex = sha256(file);
  const forms = [hex, hex.toUpperCase(), `sha256-${Buffer.from(hex, 'hex').toString('base64')}`];
  for (const integrity of [...forms, { 'm.safetensors': hex, other: 'unused' }]) {
    const before = server.sent;
    await using model = await openModel(url, { integrity });
    const loaded = await model.load({ as: 'source' });
    assert.is(loaded.size, tensors.length);
    for (const { name, offset, byteLength } of tensors) {
      const bytes = viewBytes(loaded.get(name)!.data);
      assert.ok(Buffer.from(bytes).equals(file.subarray(offset, offset + byteLength)), name);
    }
    assert.is(model.quality, 1);
    assert.is(server.sent - before, file.length);
  }
});

test('another file, wherever it differs: an error, and no tensor of it, at any later call either', async () => {
  const integrity = sha256(file);
  // Within a name in the header, at the start, the middle and the end of the data.
  const name = Buffer.from(file).indexOf('head.weight');
  for (const offset of [name, headerSize, Math.floor(file.length / 2), file.length - 1]) {
    server.files.set('m.safetensors', damagedAt(offset));
    await using model = await openModel(url, { integrity });
    const updates: string[] = [];
    model.updates$.subscribe((tensor) => updates.push(tensor.name));
    const error = await rejects(model.load(), ChecksumError, /SHA-256 differs.*m\.safetensors/);
    assert.is(error.expected, BigInt(`0x${integrity}`));
    // The file is another one: no tensor is at fault.
    assert.is(error.file, url);
    assert.is(error.tensor, undefined);
    await rejects(model.load({ tensors: ['conv.bias'] }), ChecksumError);
    await rejects(model.tensor('conv.bias'), ChecksumError);
    assert.is(model.quality, 0);
    assert.equal(updates, []);
  }
});

test('chosen tensors, priorities and lower qualities: the whole file is fetched and verified', async () => {
  const integrity = sha256(file);
  for (const options of [
    { tensors: ['conv.bias'] },
    { tensors: ['head.bias', 'embedding.weight'], strategy: 'tensors' as const },
    { priority: ['head.weight', 'lstm.1.weight'] },
    { quality: 0.5 },
  ]) {
    await using model = await openModel(url, { integrity });
    assert.is(model.plannedBytes(options), file.length - headerSize);
    const loaded = await model.load(options);
    assert.is(loaded.size, options.tensors?.length ?? tensors.length);
    assert.is(model.quality, 1);
    server.files.set('m.safetensors', damagedAt(file.length - 5));
    await using other = await openModel(url, { integrity });
    await rejects(other.load(options), ChecksumError);
    server.files.set('m.safetensors', file);
  }
});

test('a load that ended before: the next one verifies what both have brought', async () => {
  for (const bytes of [file, damagedAt(file.length - 5)]) {
    const model = await openModel(bytesSource(bytes), { integrity: sha256(file) });
    const abort = new AbortController();
    const onProgress = (progress: { bytes: number }) =>
      progress.bytes > file.length / 2 && abort.abort(new Error('enough'));
    await rejects(model.load({ signal: abort.signal, onProgress }), Error, /enough/);
    const ended = await model.load({ deadline: 0 });
    assert.is(ended.size, 0);
    if (bytes === file) assert.is((await model.load()).size, tensors.length);
    else await rejects(model.load(), ChecksumError);
    await model.close();
  }
});

test('rows come after the load', async () => {
  await using model = await openModel(url, { integrity: sha256(file) });
  await rejects(
    model.rows('head.weight', 0, 1),
    UnsupportedError,
    /verified as a whole: load the tensor first/,
  );
  await model.load();
  assert.is((await model.rows('head.weight', 0, 1)).shape[1], 128);
});

test('shards: each has its own', async () => {
  const shards = ['a', 'b'].map((name) => modelOf([{ name, dtype: 'F32', shape: [200, 200] }]));
  const index = JSON.stringify({ weight_map: { a: '1.safetensors', b: '2.safetensors' } });
  server.files.set('m.safetensors.index.json', new TextEncoder().encode(index));
  for (const [i, shard] of shards.entries()) server.files.set(`${i + 1}.safetensors`, shard);
  const all = `${server.url}m.safetensors.index.json`;
  const [first, second] = shards.map(sha256) as [string, string];
  const integrity = { '1.safetensors': first, '2.safetensors': second };
  await using model = await openModel(all, { integrity });
  const before = server.sent;
  assert.is((await model.load({ tensors: ['b'] })).size, 1);
  assert.is(server.sent - before, shards[1]!.length - 65536, 'the other shard is not needed');
  assert.is((await model.load()).size, 2);

  await using wrong = await openModel(all, { integrity: { ...integrity, '2.safetensors': first } });
  assert.is((await wrong.load({ tensors: ['a'] })).size, 1);
  await rejects(wrong.load(), ChecksumError, /2\.safetensors/);

  const missing = openModel(all, { integrity: { '1.safetensors': first } });
  await rejects(missing, ArgumentError, /no SHA-256 of it \(2\.safetensors\)/);
  await rejects(openModel(all, { integrity: first }), ArgumentError, /one SHA-256 for several/);
});

test('files without tensors, and without data', async () => {
  for (const empty of [modelOf([]), modelOf([{ name: 'a', dtype: 'F32', shape: [0, 3] }])]) {
    const model = await openModel(bytesSource(empty), { integrity: sha256(empty) });
    assert.is((await model.load()).size, model.tensors.length);
    await rejects(openModel(bytesSource(empty), { integrity: sha256(file) }), ChecksumError);
  }
});

test('what is no SHA-256, and what has no use for one', async () => {
  for (const integrity of [
    '',
    'abc',
    `md5-${'0'.repeat(32)}`,
    'sha256-short',
    {},
    { 'm.safetensors': '1' },
  ]) {
    await rejects(openModel(url, { integrity }), ArgumentError, /no SHA-256 of it.*64 hexadecimal digits/);
  }
  const encoded = await modelFileOf(modelOf([{ name: 'w', dtype: 'F32', shape: [100, 50] }]));
  const integrity = sha256(encoded);
  await rejects(openModel(bytesSource(encoded), { integrity }), UnsupportedError, /plain safetensors/);
});

test.run();
