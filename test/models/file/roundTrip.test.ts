import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readModelFile } from '../../../models/file/modelFile.js';
import { memoryStagingStore, type StagingStore } from '../../../models/file/stagingStore.js';
import { openModel } from '../../../models/openModel.js';
import { bytesSource } from '../../../sources/bytes.js';
import {
  ArgumentError,
  ChecksumError,
  FormatError,
  HolostreamError,
  LimitError,
} from '../../../src/errors.js';
import { float32ToBfloat16 } from '../../../src/tensor/float.js';
import { float32ToFloat8 } from '../../../src/tensor/float8.js';
import { fromFloat32 } from '../../../src/tensor/numbers.js';
import { similarity } from '../../../src/tensor/similarity.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { toFloat32 } from '../../../src/tensor/toFloat32.js';
import { rejects } from '../../helpers/assertions.js';
import { checkModelFile } from '../../helpers/checks/modelFile.js';
import { decodeFromModelFile, encodeToModelFile } from '../../helpers/modelFiles.js';
import { modelOf, type TestTensor } from '../../helpers/models.js';
import { noise } from '../../helpers/random.js';
import { strictSafetensors } from '../../helpers/strictSafetensors.js';
import { TRAINED_FILES } from '../../helpers/trained.js';

const test = suite('model files');

/** A safetensors file of tensors filled with a wave. */
function modelOfWaves(tensors: readonly TestTensor[], metadata?: Map<string, string>): Uint8Array {
  return modelOf(tensors, metadata, ({ dtype }, byteLength) =>
    dtype === 'F32'
      ? viewBytes(Float32Array.from({ length: byteLength / 4 }, (_, i) => Math.sin(i) / 9))
      : Uint8Array.from({ length: byteLength }, (_, i) => (i * i) % 251),
  );
}

for (const [name, bytes] of Object.entries(TRAINED_FILES)) {
  test(`${name}: there and back byte for byte, and a valid safetensors file on the way`, () =>
    checkModelFile(name, bytes));
}

test('metadata and every kind of tensor are kept; shards come back as the files they were', async () => {
  const first = modelOfWaves(
    [
      { name: 'w', dtype: 'F32', shape: [2, 3, 4, 5, 60] },
      { name: 'ids', dtype: 'I64', shape: [30_000] },
    ],
    new Map([
      ['format', 'pt'],
      ['note', 'erster „Teil“'],
    ]),
  );
  const second = modelOfWaves([
    { name: 'v', dtype: 'BF16', shape: [100, 100] },
    { name: 's', dtype: 'F64', shape: [] },
  ]);
  const file = await encodeToModelFile(
    { 'a.safetensors': first, 'b.safetensors': second },
    { index: '{"weight_map": {}}' },
  );
  const { files, model } = await decodeFromModelFile(file);
  assert.ok(Buffer.from(files['a.safetensors']!).equals(first));
  assert.ok(Buffer.from(files['b.safetensors']!).equals(second));
  assert.is(model.plan.index, '{"weight_map": {}}');
  assert.is(strictSafetensors(file).metadata.note, 'erster „Teil“');
  assert.equal(
    [...model.metadata],
    [
      ['format', 'pt'],
      ['note', 'erster „Teil“'],
    ],
  );
  assert.equal(
    model.tensors.map(({ name, encoded }) => [name, encoded !== undefined]),
    [
      ['w', true],
      ['ids', false],
      ['v', true],
      ['s', false],
    ],
  );
});

test('floats of eight bits are cut, give numbers of any type at any quality, and come back', async () => {
  const values = noise(90_000).map((value) => 60 * value);
  const data = {
    e4m3: float32ToFloat8('F8_E4M3', values).with(5, 0x7f).with(6, 0x80),
    e5m2: float32ToFloat8('F8_E5M2', values).with(5, 0xfc).with(6, 0x01),
  };
  const tensors = [
    { name: 'e4m3', dtype: 'F8_E4M3', shape: [300, 300] },
    { name: 'e5m2', dtype: 'F8_E5M2', shape: [90_000] },
    { name: 'fnuz', dtype: 'F8_E4M3FNUZ', shape: [90_000] },
  ] as const;
  const bytes = modelOf(tensors, undefined, ({ name }) => (name === 'e5m2' ? data.e5m2 : data.e4m3));
  const file = await encodeToModelFile({ m: bytes });
  assert.ok(Buffer.from((await decodeFromModelFile(file)).files.m!).equals(bytes));
  assert.equal(
    (await readModelFile(bytesSource(file))).tensors.map(({ encoded }) => encoded !== undefined),
    [true, true, false],
  );
  const model = await openModel(file);
  for (const { name, dtype, shape } of [tensors[0], tensors[1]]) {
    const own = data[name];
    const exact = toFloat32({ dtype, shape, data: own });
    assert.equal((await model.tensor(name, { as: 'source' })).data, own);
    // Of two arrays, NaNs are equal.
    assert.equal([...(await model.tensor(name)).data], [...exact]);
    assert.equal((await model.tensor(name, { as: 'BF16' })).data, float32ToBfloat16(exact));
    const early = await (await openModel(file)).tensor(name, { quality: 0.9 });
    assert.ok(!early.complete && early.cosine >= 0.9 && early.cosine < 0.999);
    const finite = exact.map((value) => (Number.isFinite(value) ? value : 0));
    assert.ok(Math.abs(similarity(finite, early.data).cosine - early.cosine) < 0.001);
    const rounded = await (await openModel(file)).tensor(name, { quality: 0.9, as: 'source' });
    assert.equal(rounded.data, fromFloat32(dtype, early.data));
  }
  await model.close();
});

test('the bytes of a file pay for a large tensor that is all zeros, but not one alone', async () => {
  const tensors = [
    { name: 'zeros', dtype: 'F8_E4M3', shape: [33 * 2 ** 21] },
    { name: 'w', dtype: 'F32', shape: [90_000] },
  ] as const;
  const zeros = new Uint8Array(33 * 2 ** 21);
  const bytes = modelOf(tensors, undefined, ({ name }) => (name === 'w' ? viewBytes(noise(90_000)) : zeros));
  const file = await encodeToModelFile({ m: bytes });
  assert.ok(Buffer.from((await decodeFromModelFile(file)).files.m!).equals(bytes));
  const alone = modelOf(tensors.slice(0, 1), undefined, () => zeros);
  const tiny = await encodeToModelFile({ m: alone });
  await rejects(decodeFromModelFile(tiny), LimitError);
});

test('what is to be kept is kept, and any name is as good as another', async () => {
  const bytes = modelOfWaves([
    { name: 'a', dtype: 'F32', shape: [5000] },
    { name: 'a#0', dtype: 'F32', shape: [5000] },
    { name: 'b', dtype: 'F32', shape: [5000] },
    { name: 'c', dtype: 'F32', shape: [5000] },
  ]);
  const file = await encodeToModelFile({ m: bytes }, { keep: (name) => name === 'c' });
  const { tensors } = await readModelFile(bytesSource(file));
  assert.equal(
    tensors.map(({ encoded }) => encoded !== undefined),
    [true, true, true, false],
  );
  assert.ok(Buffer.from((await decodeFromModelFile(file)).files.m!).equals(bytes));
});

test('a broken run goes on where it stopped', async () => {
  const bytes = TRAINED_FILES.layers;
  const staging = memoryStagingStore();
  const created: string[] = [];
  const counting: StagingStore = {
    open: staging.open,
    create: (name) => {
      created.push(name);
      return staging.create(name);
    },
  };
  const abort = new AbortController();
  const onProgress = (done: number, total: number) => done > total / 2 && abort.abort(new Error('enough'));
  await rejects(
    encodeToModelFile({ m: bytes }, { signal: abort.signal, onProgress }, counting),
    Error,
    /enough/,
  );
  const before = created.length;
  const file = await encodeToModelFile({ m: bytes }, {}, counting);
  assert.ok(before > 0 && created.length > before);
  assert.is(new Set(created).size, created.length, 'nothing is encoded twice');
  assert.ok(Buffer.from(file).equals(await encodeToModelFile({ m: bytes })));
  // What is left out and what it defaults to are the same.
  const encode = { encoding: 'embedded' } as const;
  assert.ok(Buffer.from(await encodeToModelFile({ m: bytes }, { encode }, counting)).equals(file));
  assert.is(new Set(created).size, created.length);
  // With other options the entries are of no use.
  await encodeToModelFile({ m: bytes }, { encode: { fragments: 30 } }, counting);
  assert.is(created.length, 2 * new Set(created).size);
});

test('no flipped bit of a small model file goes unnoticed', async () => {
  const bytes = modelOfWaves([
    { name: 'w', dtype: 'F32', shape: [4096] },
    { name: 'n', dtype: 'I64', shape: [3] },
  ]);
  const file = await encodeToModelFile({ m: bytes }, { encode: { fragments: 2 } });
  const { dataStart } = await readModelFile(bytesSource(file));
  for (let at = 0; at < file.length; at += at < dataStart ? 1 : 37) {
    const flipped = file.slice();
    flipped[at]! ^= 1 << (at & 7);
    await rejects(decodeFromModelFile(flipped), HolostreamError);
  }
  for (const length of [0, 7, 8, 100, dataStart, file.length - 1]) {
    await rejects(decodeFromModelFile(file.subarray(0, length)), FormatError);
  }
});

test('errors', async () => {
  const bytes = modelOfWaves([{ name: 'w', dtype: 'F32', shape: [5000] }]);
  await rejects(encodeToModelFile({ a: bytes, b: bytes }), FormatError, /two files of one model \(w\)/);
  const file = await encodeToModelFile({ m: bytes });
  await rejects(encodeToModelFile({ m: file }), FormatError, /a model file already/);
  await rejects(decodeFromModelFile(bytes), FormatError, /no header checksum/);
  new Float32Array(bytes.buffer, bytes.length - 8, 1)[0] = Number.NaN;
  await rejects(
    encodeToModelFile({ m: bytes }, { encode: { encoding: 'spectral' } }),
    ArgumentError,
    /NaN|finite/,
  );
  const wrong = file.slice();
  wrong[file.length - 1]! ^= 1;
  await rejects(decodeFromModelFile(wrong), ChecksumError, /fragment/);
});

test.run();
