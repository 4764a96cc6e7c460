import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readModelFile } from '../../models/file/modelFile.js';
import { modelFileContent } from '../../models/inputs/modelFile.js';
import { openModel } from '../../models/openModel.js';
import { choosePieces, decodeChosen } from '../../models/plain/choosePieces.js';
import { HoloTensorReader } from '../../readers/holotensorReader.js';
import { HoloTensorWriter } from '../../sinks/holotensor.js';
import { memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';
import { Budget, limitsOf } from '../../src/checks/limits.js';
import { ArgumentError, ChecksumError, FormatError, LimitError, TruncatedError } from '../../src/errors.js';
import { HoloTensorEncoder } from '../../src/holotensor/encoder.js';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { WorkerPool } from '../../workers/pool.js';
import { rejects } from '../helpers/assertions.js';
import { cosineSimilarity } from '../helpers/encodings.js';
import { fileServer } from '../helpers/fileServer.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { chunked } from '../helpers/streams.js';
import { readTensors, TRAINED_FILES, trainedLike } from '../helpers/trained.js';

const test = suite('files that end early');
const pool = new WorkerPool(1, { url: new URL('../helpers/workerFromSource.mjs', import.meta.url) });
test.after(() => pool.close());

const original = TRAINED_FILES.layers;
const originals = new Map(readTensors('', original).map(({ name, data }) => [name.slice(1), data]));
let file: Uint8Array;
let dataStart: number;

test.before(async () => {
  // Rows of it can be read.
  file = await modelFileOf(original, { keep: (name) => name === 'norm.weight' });
  ({ dataStart } = await readModelFile(bytesSource(file)));
});

/** Lengths of prefixes from the header alone to the whole. */
function cuts(): number[] {
  const inside = Array.from(
    { length: 12 },
    (_, i) => dataStart + Math.floor(((file.length - dataStart) * i) / 12),
  );
  return [...inside, file.length - 1, file.length];
}

test('a prefix loads as far as it goes, and says truly how good it is', async () => {
  let last = -1;
  for (const end of cuts()) {
    const part = file.slice(0, end);
    if (end < file.length) await rejects(openModel(bytesSource(part)), TruncatedError, /too short/);
    const model = await openModel(bytesSource(part), { partial: true });
    assert.is(model.tensors.length, parseSafetensorsHeader(original).tensors.length);
    assert.ok(model.plannedBytes() <= end - dataStart);
    const loaded = await model.load();
    assert.ok(model.quality >= last && model.quality <= 1, `${model.quality} at ${end}`);
    last = model.quality;
    for (const [name, { data, cosine }] of loaded) {
      const numbers = originals.get(name);
      if (numbers === undefined) continue;
      const actual = cosineSimilarity(data as Float32Array, numbers);
      assert.ok(Math.abs(actual - cosine) < 1e-4, `${name} at ${end}: ${actual}, ${cosine}`);
    }
    assert.is(model.plannedBytes(), 0, 'there is no more');
    await model.close();
  }
  assert.is(last, 1);
});

test('of what has not begun, nothing is loaded; asked for alone, it says why', async () => {
  const model = await openModel(file.slice(0, dataStart), { partial: true });
  assert.is((await model.load()).size, 0);
  await rejects(model.tensor('lstm.0.weight'), ArgumentError, /its file ends before its first numbers/);
  await rejects(model.rows('norm.weight', 0, 1), TruncatedError);
});

test('a prefix from a server, from a stream and with workers, too', async () => {
  const part = file.slice(0, Math.floor(file.length / 2));
  const expected = await (await openModel(part, { partial: true })).load();
  await using server = await fileServer({ 'model.holo.safetensors': part });
  const url = `${server.url}model.holo.safetensors`;
  for (const [input, workers] of [
    [url, 0],
    [chunked(part, 1000), 0],
    [url, pool],
  ] as const) {
    const model = await openModel(input, { partial: true });
    const loaded = await model.load({ workers });
    assert.equal([...loaded.keys()], [...expected.keys()]);
    for (const [name, { data, cosine, complete }] of expected) {
      const other = loaded.get(name)!;
      assert.equal([other.cosine, other.complete], [cosine, complete], name);
      assert.ok(Buffer.from(viewBytes(other.data)).equals(viewBytes(data)), name);
    }
    await model.close();
  }
});

test('what is refused stays refused', async () => {
  const open = (bytes: Uint8Array) => openModel(bytesSource(bytes), { partial: true });
  for (const end of [0, 7, 8, 100, dataStart - 1]) await rejects(open(file.slice(0, end)), FormatError);
  const longer = new Uint8Array(file.length + 1);
  longer.set(file);
  await rejects(open(longer), FormatError, /bytes follow/);
  const flipped = file.slice(0, file.length >> 1);
  flipped[dataStart - 9]! ^= 1;
  await rejects(open(flipped), ChecksumError);
  flipped.set(file.subarray(0, dataStart));
  flipped[dataStart + 50]! ^= 1;
  await rejects((await open(flipped)).load(), ChecksumError);
  await rejects(open(original.slice(0, -1)), TruncatedError, /too short/);
});

test('chosen pieces: a quality, bytes, fragments, tensors; what has no numbers is zero, as far as bytes pay for it', async () => {
  const source = bytesSource(file);
  const { tensors } = modelFileContent(await readModelFile(source), source);
  const half = choosePieces(tensors, { quality: 0.9 });
  assert.ok(half.quality >= 0.9 - 1e-9 && half.bytes < 0.7 * file.length, `${half.quality}, ${half.bytes}`);
  const model = await openModel(source);
  await model.load({ quality: 0.9 });
  assert.ok(Math.abs(half.quality - model.quality) < 1e-5);

  const first = choosePieces(tensors, { fragments: 1, tensors: ['lstm.0.weight', 'norm.weight'] });
  assert.equal(
    first.tensors.map(({ tensor, pieces }) => [tensor.name, pieces.length]),
    [
      ['norm.weight', 1],
      ['lstm.0.weight', 2],
    ],
  );
  const whole = choosePieces(tensors);
  assert.is(whole.quality, 1);
  const { tensors: stored } = parseSafetensorsHeader(original);
  for (const one of whole.tensors) {
    const { offset, byteLength } = stored.find(({ name }) => name === one.tensor.name)!;
    const bytes = await decodeChosen(one, new Budget(limitsOf()), {});
    assert.ok(Buffer.from(bytes).equals(original.subarray(offset, offset + byteLength)), one.tensor.name);
  }

  const none = choosePieces(tensors, { bytes: dataStart });
  assert.equal([none.quality, none.bytes], [0, 0]);
  const large = none.tensors.find(({ tensor }) => tensor.name === 'lstm.0.weight')!;
  assert.equal(
    await decodeChosen(large, new Budget(limitsOf()), {}),
    new Uint8Array(large.tensor.byteLength),
  );
  const claimed = { ...large, tensor: { ...large.tensor, byteLength: 2 ** 30 } };
  await rejects(decodeChosen(claimed, new Budget(limitsOf()), {}), LimitError, /ratio/);
});

test('HoloTensor: the fragments that are there', async () => {
  const values = trainedLike([300, 400]);
  const { header, fragments } = new HoloTensorEncoder('embedded', { fragments: 6 }).encode(
    values,
    [300, 400],
  );
  const sink = memorySink();
  await new HoloTensorWriter(sink).write(header, fragments);
  const whole = await HoloTensorReader.open(sink.bytes);
  for (const count of [0, 1, 4, 6]) {
    const end =
      whole.dataStart + whole.entries.slice(0, count).reduce((sum, one) => sum + one.compressedSize, 0);
    const part = sink.bytes.slice(0, Math.min(end + 1, sink.bytes.length));
    const reader = await HoloTensorReader.open(bytesSource(part), { partial: true });
    assert.is(reader.entries.length, 6);
    assert.is(reader.available.length, count);
    const out = new Uint8Array(header.originalSize);
    if (count === 0) {
      for (const read of [reader.readAll(), reader.readToQuality(0.9), reader.readInto(out)])
        await rejects(read, TruncatedError, /ends before the end of the first fragment/);
      continue;
    }
    const expected = await whole.readFragments(Array.from({ length: count }, (_, i) => i));
    const all = await reader.readAll();
    assert.equal([all.fragments, all.total, all.complete], [count, 6, count === 6]);
    assert.equal(all.data, expected.data);
    assert.equal((await reader.readToQuality(1)).data, expected.data);
    await reader.readInto(out);
    assert.equal(out, viewBytes(expected.data));
    if (count < 6) await rejects(reader.readFragment(count), TruncatedError);
    const withWorker = await HoloTensorReader.open(bytesSource(part), { partial: true, workers: pool });
    assert.equal((await withWorker.readAll()).data, expected.data);
  }
  await rejects(
    HoloTensorReader.open(bytesSource(sink.bytes.slice(0, 150)), { partial: true }),
    TruncatedError,
  );
});

test.run();
