import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeModelFile } from '../../../models/file/decodeModelFile.js';
import { type EncodeModelFileOptions, encodeModelFile } from '../../../models/file/encodeModelFile.js';
import { memoryStagingStore } from '../../../models/file/memoryStagingStore.js';
import { type ModelFile, readModelFile } from '../../../models/file/modelFile.js';
import type { StagingStore } from '../../../models/file/stagingStore.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import { ArgumentError, ChecksumError, FormatError, HolostreamError } from '../../../src/errors.js';
import { serializeSafetensorsHeader } from '../../../src/safetensors/serialize.js';
import { rejects } from '../../helpers/assertions.js';
import { readShared, sharedFiles } from '../../helpers/shared.js';
import { strictSafetensors } from '../../helpers/strictSafetensors.js';

const test = suite('model files');

async function encode(
  files: Record<string, Uint8Array>,
  options?: EncodeModelFileOptions,
  staging = memoryStagingStore(),
): Promise<Uint8Array> {
  const sink = memorySink();
  const inputs = Object.entries(files).map(([name, bytes]) => ({ name, source: bytesSource(bytes) }));
  const stats = await encodeModelFile(inputs, sink, staging, options);
  assert.is(stats.fileSize, sink.bytes.length);
  return sink.bytes;
}

async function decode(file: Uint8Array): Promise<{ files: Record<string, Uint8Array>; model: ModelFile }> {
  const files: Record<string, Uint8Array> = {};
  const model = await decodeModelFile(bytesSource(file), async (name) => {
    const sink = memorySink();
    return {
      ...sink,
      async close() {
        await sink.close();
        files[name] = sink.bytes;
      },
    };
  });
  return { files, model };
}

/** A safetensors file of tensors filled with a wave. */
function modelOf(
  tensors: readonly { name: string; dtype: 'F32' | 'BF16' | 'I64' | 'F64'; shape: number[] }[],
  metadata?: Map<string, string>,
): Uint8Array {
  const { header, bytes } = serializeSafetensorsHeader(tensors, metadata);
  const file = new Uint8Array(header.fileSize);
  file.set(bytes);
  for (const { dtype, offset, byteLength } of header.tensors) {
    const values = file.subarray(offset, offset + byteLength);
    if (dtype !== 'F32')
      values.forEach((_, i) => {
        values[i] = (i * i) % 251;
      });
    else
      new Float32Array(file.buffer, offset, byteLength / 4).forEach((_, i, all) => {
        all[i] = Math.sin(i) / 9;
      });
  }
  return file;
}

for (const name of sharedFiles('weights', '.safetensors')) {
  test(`${name}: there and back byte for byte, and a valid safetensors file on the way`, async () => {
    const bytes = readShared(`weights/${name}`);
    const file = await encode({ [name]: bytes });
    const { tensors } = strictSafetensors(file);
    const { files, model } = await decode(file);
    assert.ok(Buffer.from(files[name]!).equals(bytes));
    // The data begin with what is needed first, and fragments follow their headers.
    for (const { pieces, encoded } of model.tensors) {
      assert.equal(
        pieces.map(({ offset }) => offset),
        pieces.map(({ offset }) => offset).sort((a, b) => a - b),
      );
      if (encoded !== undefined) assert.ok(pieces.length === encoded.cosines.length + 1);
    }
    const headersEnd = Math.max(
      0,
      ...tensors.flatMap(({ name: one, end }) => (one.endsWith('#header') ? [end] : [])),
    );
    const firstFragment = Math.min(
      ...tensors.flatMap(({ name: one, begin }) => (/#\d+$/.test(one) ? [begin] : [])),
    );
    assert.ok(headersEnd <= firstFragment);
  });
}

test('metadata and every kind of tensor are kept; shards come back as the files they were', async () => {
  const first = modelOf(
    [
      { name: 'w', dtype: 'F32', shape: [2, 3, 4, 5, 60] },
      { name: 'ids', dtype: 'I64', shape: [30_000] },
    ],
    new Map([
      ['format', 'pt'],
      ['note', 'erster „Teil“'],
    ]),
  );
  const second = modelOf([
    { name: 'v', dtype: 'BF16', shape: [100, 100] },
    { name: 's', dtype: 'F64', shape: [] },
  ]);
  const file = await encode(
    { 'a.safetensors': first, 'b.safetensors': second },
    { index: '{"weight_map": {}}' },
  );
  const { files, model } = await decode(file);
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

test('what is to be kept is kept, and names that would clash are no fragments', async () => {
  const bytes = modelOf([
    { name: 'a', dtype: 'F32', shape: [5000] },
    { name: 'a#0', dtype: 'F32', shape: [5000] },
    { name: 'b', dtype: 'F32', shape: [5000] },
    { name: 'c', dtype: 'F32', shape: [5000] },
  ]);
  const file = await encode({ m: bytes }, { keep: (name) => name === 'c' });
  const { tensors } = await readModelFile(bytesSource(file));
  assert.equal(
    tensors.map(({ encoded }) => encoded !== undefined),
    [false, true, true, false],
  );
  assert.ok(Buffer.from((await decode(file)).files.m!).equals(bytes));
});

test('a broken run goes on where it stopped', async () => {
  const bytes = readShared('weights/charrnn-bronte.safetensors');
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
  await rejects(encode({ m: bytes }, { signal: abort.signal, onProgress }, counting), Error, /enough/);
  const before = created.length;
  const file = await encode({ m: bytes }, {}, counting);
  assert.ok(before > 0 && created.length > before);
  assert.is(new Set(created).size, created.length, 'nothing is encoded twice');
  assert.ok(Buffer.from(file).equals(await encode({ m: bytes })));
  // With other options the entries are of no use.
  await encode({ m: bytes }, { encode: { fragments: 3 } }, counting);
  assert.is(created.length, 2 * new Set(created).size);
});

test('no flipped bit of a small model file goes unnoticed', async () => {
  const bytes = modelOf([
    { name: 'w', dtype: 'F32', shape: [4096] },
    { name: 'n', dtype: 'I64', shape: [3] },
  ]);
  const file = await encode({ m: bytes }, { encode: { fragments: 2 } });
  const { dataStart } = await readModelFile(bytesSource(file));
  for (let at = 0; at < file.length; at += at < dataStart ? 1 : 37) {
    const flipped = file.slice();
    flipped[at]! ^= 1 << (at & 7);
    await rejects(decode(flipped), HolostreamError);
  }
  for (const length of [0, 7, 8, 100, dataStart, file.length - 1]) {
    await rejects(decode(file.subarray(0, length)), FormatError);
  }
});

test('errors', async () => {
  const bytes = modelOf([{ name: 'w', dtype: 'F32', shape: [5000] }]);
  await rejects(encode({ a: bytes, b: bytes }), FormatError, /two files of one model \(w\)/);
  const file = await encode({ m: bytes });
  await rejects(encode({ m: file }), FormatError, /a model file already/);
  await rejects(decode(bytes), FormatError, /no header checksum/);
  new Float32Array(bytes.buffer, bytes.length - 8, 1)[0] = Number.NaN;
  await rejects(encode({ m: bytes }, { encode: { encoding: 'spectral' } }), ArgumentError, /NaN|finite/);
  const wrong = file.slice();
  wrong[file.length - 1]! ^= 1;
  await rejects(decode(wrong), ChecksumError, /fragment/);
});

test.run();
