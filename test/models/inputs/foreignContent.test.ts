import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModelFile } from '../../../models/file/encodeModelFile.js';
import { memoryStagingStore } from '../../../models/file/stagingStore.js';
import { openForeignModel } from '../../../models/inputs/foreign.js';
import { openModel } from '../../../models/openModel.js';
import type { ModelProgress } from '../../../models/progress.js';
import { readSafetensors } from '../../../readers/safetensors.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import {
  ArgumentError,
  FormatError,
  HolostreamError,
  SourceError,
  UnsupportedError,
} from '../../../src/errors.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { rejects } from '../../helpers/assertions.js';
import { fileServer } from '../../helpers/fileServer.js';
import { smallGguf } from '../../helpers/ggufFiles.js';
import { npyFile } from '../../helpers/npyFiles.js';
import { graphOf, modelProto, rawTensor } from '../../helpers/onnxWriter.js';
import { pickledTensor, pickledText, pickleOf } from '../../helpers/pickles.js';
import { pseudoRandomBytes } from '../../helpers/random.js';
import { zipOf } from '../../helpers/zips.js';

const test = suite('models of other formats, opened as they are');

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../fixtures/inputs/${name}`, import.meta.url)));

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

async function encodeForeign(name: string, bytes: Uint8Array): Promise<Uint8Array> {
  const { files } = await openForeignModel(bytesSource(bytes), { name });
  const sink = memorySink();
  await encodeModelFile(files, sink, memoryStagingStore());
  return sink.bytes;
}

test('GGUF and a checkpoint of PyTorch: tensors, rows, quality, and the file itself', async () => {
  const files: Record<string, Uint8Array> = { 'm.gguf': smallGguf(), 'c.pt': fixture('zip/checkpoint.pt') };
  const cases = [
    ['m.gguf', 'gguf', 'output.weight'],
    ['c.pt', 'zip', 'model.embedding.weight'],
  ] as const;
  for (const [name, format, tensor] of cases) {
    await using server = await fileServer(files);
    const model = await openModel(`${server.url}${name}`);
    assert.is(model.format, format);
    assert.equal(model.files, [name]);
    const { shape, byteLength } = model.tensors.find((one) => one.name === tensor)!;
    const { data } = await model.tensor(tensor, { as: 'source' });
    assert.is(data.byteLength, byteLength);
    const row = await model.rows(tensor, 1, 2);
    assert.equal(
      viewBytes(row.data),
      viewBytes(data).slice(byteLength / shape[0]!, (2 * byteLength) / shape[0]!),
    );
    await model.load();
    assert.is(model.quality, 1);
    const plain = await model.file();
    assert.match((await plain.version())!, /^[0-9a-f]{16}-1$/);
    assert.equal(await bytesOf(plain.stream()), files[name]);
    await model.close();
  }
});

test('what is around the arrays of an archive is no tensor: not listed, not loaded, not counted, and in the file', async () => {
  const archive = fixture('zip/stored.npz');
  await using server = await fileServer({ 'x.npz': archive });
  const plain = await openModel(`${server.url}x.npz`);
  const encoded = await encodeForeign('x.npz', archive);
  const cut = await openModel(bytesSource(encoded));
  for (const model of [plain, cut]) {
    const names = model.tensors.map(({ name }) => name);
    assert.ok(names.length > 1 && names.every((name) => !name.startsWith('x.npz:')), String(names));
    const updated = new Set<string>();
    model.updates$.subscribe(({ name }) => updated.add(name));
    const states: ModelProgress[] = [];
    model.progress$.subscribe((progress) => states.push(progress));
    const snapshot = model.snapshots().next();
    const loaded = await model.load({ as: 'source' });
    assert.equal([...loaded.keys()].sort(), [...names].sort());
    assert.equal([...updated].sort(), [...names].sort());
    const last = states.at(-1)!;
    assert.equal(
      [last.tensors, last.ready, last.quality, last.bytes],
      [names.length, names.length, 1, last.totalBytes],
    );
    assert.equal([...last.qualities.keys()].sort(), [...names].sort());
    const { value } = await snapshot;
    assert.is(value?.tensors.size, names.length);
    assert.is(model.plannedBytes(), 0);
    await rejects(model.load({ tensors: ['x.npz:0'] }), ArgumentError, /no tensor of this name/);
    await rejects(model.rows('x.npz:0', 0, 1), ArgumentError, /no tensor of this name/);
    for (const options of [{}, { quality: 'loaded' }] as const) {
      const file = await model.file(options);
      assert.equal(await file.read(0, file.size), archive);
    }
  }
  await Promise.all([plain.close(), cut.close()]);
});

test('an archive is loaded by one request, though there are bytes between its arrays', async () => {
  // Longer than what is read to open it.
  const names = Array.from({ length: 4 }, (_, i) => `a${i}.npy`);
  const bytes = npyFile({ shape: '(50000,)', data: pseudoRandomBytes(200_000, 5) });
  await using server = await fileServer({ 'x.npz': zipOf(names.map((name) => ({ name, bytes }))) });
  const model = await openModel(`${server.url}x.npz`);
  const before = server.requests.length;
  assert.is((await model.load({ as: 'source' })).size, 4);
  assert.is(server.requests.length - before, 1);
  await model.close();
});

test('ONNX: its weights, long ones by a request each, and from other files beside it', async () => {
  const weights = Array.from({ length: 3 }, (_, i) => pseudoRandomBytes(4 * 50_000, i + 1));
  const bytes = modelProto(graphOf(weights.map((data, i) => rawTensor(`w${i}`, [50_000], data))));
  await using server = await fileServer({
    'm.onnx': bytes,
    'external.onnx': fixture('onnx/external.onnx'),
    'external.bin': fixture('onnx/external.bin'),
  });
  const model = await openModel(`${server.url}m.onnx`);
  assert.equal([model.format, model.files], ['onnx', ['m.safetensors']]);
  server.requests.length = 0;
  const loaded = await model.load({ as: 'source' });
  for (const [i, data] of weights.entries()) assert.equal(viewBytes(loaded.get(`w${i}`)!.data), data);
  assert.ok(server.requests.length <= 4, server.requests.join('\n'));
  const tensors = await readSafetensors((await model.file()).stream());
  assert.equal(new Set(tensors.keys()), new Set(['w0', 'w1', 'w2']));
  await model.close();

  const external = await openModel(`${server.url}external.onnx`);
  assert.ok((await external.load()).size > 0);
  await external.close();
});

test('TensorFlow.js, NumPy, and a function that gives files', async () => {
  const values = Float32Array.of(1, -2, 3);
  const weights = [{ name: 'a/b', shape: [3], dtype: 'float32' }];
  const json = JSON.stringify({ modelTopology: {}, weightsManifest: [{ paths: ['1.bin'], weights }] });
  await using server = await fileServer({
    'model.json': new TextEncoder().encode(json),
    '1.bin': new Uint8Array(values.buffer),
    'a.npz': fixture('zip/compressed.npz'),
  });
  const model = await openModel(`${server.url}model.json`);
  assert.equal([model.format, (await model.tensor('a/b')).data], ['tfjs', values]);
  await model.close();
  const archive = await openModel(`${server.url}a.npz`);
  assert.equal((await archive.tensor('c', { as: 'source' })).data, BigInt64Array.of(0n, 1n, 2n, 3n, 4n));
  await archive.close();
});

test('what cannot be opened so is refused', async () => {
  await rejects(openModel(smallGguf(), { integrity: 'a'.repeat(64) }), UnsupportedError, /SHA-256/);
  await rejects(openModel(fixture('zip/text.zip')), FormatError, /neither \.npy files nor data\.pkl/);
  await rejects(openModel(bytesSource(fixture('onnx/external.onnx'))), UnsupportedError, /another file/);
});

test('TensorFlow.js on a server: opening takes a few bytes of each file, and a load each once', async () => {
  const length = 50_000;
  const weights = ['a', 'b', 'c'].map((name) => ({ name, shape: [length], dtype: 'float32' }));
  const paths = ['1.bin', '2.bin'];
  const json = new TextEncoder().encode(JSON.stringify({ weightsManifest: [{ paths, weights }] }));
  const bytes = pseudoRandomBytes(3 * 4 * length, 7);
  const [one, two] = [bytes.subarray(0, 5 * length), bytes.subarray(5 * length)];
  await using server = await fileServer({ 'model.json': json, '1.bin': one, '2.bin': two });
  const model = await openModel(`${server.url}model.json`);
  const { sent } = server;
  assert.ok(sent < json.length + 10, `${sent}`);
  const loaded = await model.load({ as: 'source' });
  assert.is(server.sent, sent + bytes.length);
  for (const [i, name] of ['a', 'b', 'c'].entries()) {
    const expected = bytes.slice(4 * length * i, 4 * length * (i + 1));
    assert.ok(Buffer.from(viewBytes(loaded.get(name)!.data)).equals(expected), name);
  }
  await model.close();
});

test('errors of a tensor have its name in a field, and those of another file its name', async () => {
  const tfjs = (weight: object, paths = ['x.bin']) =>
    new TextEncoder().encode(
      JSON.stringify({ weightsManifest: [{ paths, weights: [{ name: 'w', ...weight }] }] }),
    );
  const pickle = pickleOf('\x80\x02}', pickledText('w'), pickledTensor('K\x02\x85', 'K\x01\x85'), 's.');
  const huge = [...Array<number>(22).fill(2 ** 52), 0];
  const cases: [string, Uint8Array, Partial<HolostreamError>][] = [
    ['model.json', tfjs({ dtype: 'float32', shape: [-1] }), { tensor: 'w' }],
    ['model.json', tfjs({ dtype: 'float32', shape: [1] }, ['../x']), { tensor: 'w' }],
    ['model.json', tfjs({ dtype: 'float32', shape: [1] }), { file: 'x.bin' }],
    ['m.pt', zipOf([{ name: 'a/data.pkl', bytes: pickle }]), { tensor: 'w' }],
    ['m.onnx', modelProto(graphOf([rawTensor('w', huge, new Uint8Array(1024))])), { tensor: 'w' }],
  ];
  for (const [name, bytes, { tensor, file = name }] of cases) {
    await using server = await fileServer({ [name]: bytes });
    const error = await rejects(openModel(`${server.url}${name}`), HolostreamError);
    assert.equal([error.tensor, error.file], [tensor, `${server.url}${file}`], error.message);
  }
  const index = new TextEncoder().encode('{"weight_map":{"w":"w.safetensors"}}');
  const folder = (name: string) => (name === 'model.safetensors.index.json' ? index : undefined);
  assert.is((await rejects(openModel(folder), SourceError)).file, 'w.safetensors');
});

test.run();
