import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModelFile } from '../../../models/file/encodeModelFile.js';
import { memoryStagingStore } from '../../../models/file/stagingStore.js';
import { openForeignModel } from '../../../models/inputs/foreign.js';
import { openModel } from '../../../models/openModel.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import { FormatError, LimitError, TruncatedError, UnsupportedError } from '../../../src/errors.js';
import { rejects } from '../../helpers/assertions.js';
import { pseudoRandomBytes } from '../../helpers/random.js';

const test = suite('weights of TensorFlow.js');

interface Weight {
  readonly name: string;
  readonly shape: readonly unknown[];
  readonly dtype: string;
  readonly quantization?: object;
}

function open(manifest: unknown, files: Readonly<Record<string, Uint8Array>>, name = 'model.json') {
  const json = new TextEncoder().encode(JSON.stringify(manifest));
  return openForeignModel(bytesSource(json), { name, openBeside: (file) => bytesSource(files[file]!) });
}

/** A network with one group of weights in shards that are cut anywhere. */
function modelJson(weights: readonly Weight[], paths = ['group1-shard1of2.bin', 'group1-shard2of2.bin']) {
  return { format: 'layers-model', modelTopology: {}, weightsManifest: [{ paths, weights }] };
}

function shardsOf(bytes: Uint8Array, cut: number) {
  return { 'group1-shard1of2.bin': bytes.subarray(0, cut), 'group1-shard2of2.bin': bytes.subarray(cut) };
}

const words = (...values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);

test('every element type, across the ends of shards: by its name, with the elements that it has in TensorFlow.js', async () => {
  const floats = pseudoRandomBytes(4 * 6, 1);
  const ints = pseudoRandomBytes(4 * 2, 2);
  const complex = pseudoRandomBytes(16, 3);
  const bytes = Buffer.concat([
    floats,
    Uint8Array.of(1, 0, 1),
    ints,
    complex,
    Uint8Array.of(0, 3, 255),
    words(0, 1, 65535),
    words(0x3c00, 0xc000),
    Uint8Array.of(7, 8),
  ]);
  const weights: Weight[] = [
    { name: 'dense/kernel', shape: [2, 3], dtype: 'float32' },
    { name: 'mask', shape: [3], dtype: 'bool' },
    { name: 'steps', shape: [2], dtype: 'int32' },
    { name: 'z', shape: [2], dtype: 'complex64' },
    { name: 'byte', shape: [3], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.1, min: -1 } },
    { name: 'word', shape: [3], dtype: 'float32', quantization: { dtype: 'uint16', scale: 2, min: 0.5 } },
    { name: 'half', shape: [2], dtype: 'float32', quantization: { dtype: 'float16' } },
    { name: 'whole', shape: [2], dtype: 'int32', quantization: { dtype: 'uint8', scale: 1.5, min: -3 } },
  ];
  for (let cut = 0; cut <= bytes.length; cut += 5) {
    const opened = await open(modelJson(weights), shardsOf(bytes, cut));
    assert.equal([opened.files.map(({ name }) => name), opened.beside], [['model.safetensors'], []]);
    const model = await openModel(opened.files[0]!.source);
    const loaded = await model.load({ as: 'source' });
    const data = (name: string) => loaded.get(name)!.data;
    const raw = (name: string) => {
      const { buffer, byteOffset, byteLength } = data(name);
      return new Uint8Array(buffer, byteOffset, byteLength);
    };
    assert.equal(new Set(loaded.keys()), new Set(weights.map(({ name }) => name)));
    assert.equal(raw('dense/kernel'), floats);
    assert.equal(loaded.get('dense/kernel')!.shape, [2, 3]);
    assert.equal(raw('mask'), Uint8Array.of(1, 0, 1));
    assert.equal(raw('steps'), ints);
    assert.equal(raw('z'), complex);
    assert.equal(data('byte'), Float32Array.of(-1, 3 * 0.1 - 1, 255 * 0.1 - 1));
    assert.equal(data('word'), Float32Array.of(0.5, 2.5, 131070.5));
    assert.equal(raw('half'), words(0x3c00, 0xc000));
    assert.equal(data('whole'), Int32Array.of(Math.round(7 * 1.5 - 3), 9));
    assert.equal(
      ['mask', 'steps', 'z', 'byte', 'half', 'whole'].map((name) => loaded.get(name)!.dtype),
      ['BOOL', 'I32', 'C64', 'F32', 'F16', 'I32'],
    );
    await model.close();
    await opened.close();
  }
});

test('a manifest alone, in several groups; a model file of it', async () => {
  const first = new Uint8Array(Float32Array.from({ length: 3000 }, (_, i) => Math.sin(i)).buffer);
  const manifest = [
    { paths: ['a.bin'], weights: [{ name: 'a', shape: [50, 60], dtype: 'float32' }] },
    { paths: ['./b.bin'], weights: [{ name: 'b', shape: [], dtype: 'bool' }] },
    { paths: [], weights: [] },
  ];
  const opened = await open(manifest, { 'a.bin': first, 'b.bin': Uint8Array.of(1) }, 'weights.json');
  assert.is(opened.files[0]!.name, 'weights.safetensors');
  const sink = memorySink();
  await encodeModelFile(opened.files, sink, memoryStagingStore());
  const model = await openModel(sink.bytes);
  assert.equal(new Uint8Array((await model.tensor('a')).data.buffer as ArrayBuffer), first);
  assert.equal((await model.tensor('b')).data, Uint8Array.of(1));
});

test('weights that are decoded whole are read once each, however many are loaded together', async () => {
  const length = 2 ** 16;
  const names = ['a', 'b', 'c', 'd', 'e'];
  const quantization = { dtype: 'uint8', scale: 1, min: 0 };
  const weights = names.map((name) => ({ name, shape: [length], dtype: 'float32', quantization }));
  const json = new TextEncoder().encode(JSON.stringify(modelJson(weights, ['x.bin'])));
  const bytes = pseudoRandomBytes(names.length * length, 4);
  const shard = bytesSource(bytes);
  let count = 0;
  const read: typeof shard.read = (offset, size, options) => {
    count += size;
    return shard.read(offset, size, options);
  };
  const opened = await openForeignModel(bytesSource(json), { openBeside: () => ({ ...shard, read }) });
  const model = await openModel(opened.files[0]!.source);
  // With the header, the beginning of the first one has been read.
  count = 0;
  // Neighbours would be one request.
  const loaded = await model.load({ tensors: ['a', 'c', 'e'] });
  for (const name of ['a', 'c', 'e']) {
    const start = names.indexOf(name) * length;
    assert.equal(loaded.get(name)!.data, Float32Array.from(bytes.subarray(start, start + length)));
  }
  assert.ok(count <= 3 * length, `${count}`);
  await model.close();
  await opened.close();
});

test('what is damaged or hostile is refused, with a sentence', async () => {
  const weight: Weight = { name: 'w', shape: [2], dtype: 'float32' };
  const bytes = new Uint8Array(8);
  const cases: [unknown, RegExp, typeof FormatError | typeof UnsupportedError | typeof LimitError][] = [
    [{ modelTopology: {} }, /no weightsManifest/, FormatError],
    [{ modelTopology: {}, weightsManifest: [{ weights: [] }] }, /no paths and weights/, FormatError],
    [{ modelTopology: {}, weightsManifest: [{ weights: [], paths: [1] }] }, /no paths/, FormatError],
    [modelJson([], ['x', 'x']), /listed twice/, FormatError],
    [modelJson([weight, weight]), /same name/, FormatError],
    [modelJson([{ ...weight, name: '__metadata__' }]), /same name/, FormatError],
    [modelJson([{ ...weight, name: '\ud800' }]), /not Unicode/, FormatError],
    [modelJson([{ ...weight, name: 5 as never }]), /no name/, FormatError],
    [modelJson([{ ...weight, shape: [-1] }]), /the shape of one/, FormatError],
    [modelJson([{ ...weight, shape: ['2'] }]), /the shape of one/, FormatError],
    [modelJson([{ ...weight, shape: [2 ** 40, 2 ** 40] }]), /the shape of one/, FormatError],
    [modelJson([{ ...weight, shape: new Array(99).fill(1) }]), /too many dimensions/, LimitError],
    [modelJson([{ ...weight, shape: [2 ** 45] }]), /too large/, LimitError],
    [
      modelJson([{ ...weight, dtype: 'constructor' }]),
      /element type of one is not known.*float32/,
      FormatError,
    ],
    [modelJson([{ ...weight, dtype: 'string' }]), /texts/, UnsupportedError],
    [modelJson([{ ...weight, quantization: { dtype: 'uint8' } }]), /quantization of one/, FormatError],
    [
      modelJson([{ ...weight, dtype: 'bool', quantization: { dtype: 'float16' } }]),
      /quantization/,
      FormatError,
    ],
    [modelJson([weight], ['../x.bin']), /not beside it/, FormatError],
    [modelJson([weight], ['a/x.bin']), /not beside it/, FormatError],
    [modelJson([{ ...weight, shape: [1] }]), /more bytes/, FormatError],
    [modelJson([{ ...weight, shape: [3] }]), /end before they do/, TruncatedError],
  ];
  for (const [manifest, message, kind] of cases) {
    await rejects(open(manifest, shardsOf(bytes, 3)), kind, message);
  }
  const json = new TextEncoder().encode(JSON.stringify(modelJson([weight])));
  await rejects(openForeignModel(bytesSource(json)), UnsupportedError, /option openBeside/);
  await rejects(openForeignModel(bytesSource(json.subarray(0, 80))), FormatError, /not JSON/);
});

test.run();
