import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeShortTensor } from '../../../models/file/encodeShortTensor.js';
import { FORMS } from '../../../models/file/firstPiece.js';
import { type ModelFileTensor, readModelFile } from '../../../models/file/modelFile.js';
import { formatHash } from '../../../models/file/plan.js';
import { ShortTensorDecoder } from '../../../models/file/shortTensor.js';
import {
  memoryStagingStore,
  type StagingStore,
  withSmallInMemory,
} from '../../../models/file/stagingStore.js';
import { ModelTensorDecoder } from '../../../models/file/tensorDecoder.js';
import { openModel } from '../../../models/openModel.js';
import { bytesSource } from '../../../sources/bytes.js';
import { finish } from '../../../src/async/steps.js';
import {
  ArgumentError,
  ChecksumError,
  FormatError,
  TruncatedError,
  UnsupportedError,
} from '../../../src/errors.js';
import { xxh3 } from '../../../src/kernels/xxh3/checksum.js';
import { similarity } from '../../../src/tensor/similarity.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { rejects, throws } from '../../helpers/assertions.js';
import { decodeFromModelFile, encodeToModelFile, modelFileOf } from '../../helpers/modelFiles.js';
import { modelOf } from '../../helpers/models.js';
import { noise } from '../../helpers/random.js';

const test = suite('small tensors in two parts');

/** A tensor of these numbers as a model file has it, and its pieces. */
function cut(values: Float32Array) {
  const { cosines, pieces } = encodeShortTensor(viewBytes(values), { xxh3 });
  const tensor: ModelFileTensor = {
    ...{ name: 'b', dtype: 'F32', shape: [values.length], byteLength: 4 * values.length, weight: 1 },
    encoded: { cosines, sizes: pieces.map(({ length }) => length) },
    pieces: pieces.map(({ length }) => ({ offset: 0, length })),
    firstPieceHash: formatHash(xxh3(pieces[0]!)),
  };
  return { tensor, pieces };
}

const PATTERNS = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 0x8000_0000, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x7f80_0001, 1, 0x8000_0001),
  fc.float({ noNaN: true }).map((value) => new Uint32Array(Float32Array.of(value).buffer)[0]!),
);

test('any bits of up to 1,023 elements come back, and the cosine of the first part is true', () => {
  fc.assert(
    fc.property(fc.array(PATTERNS, { minLength: 1, maxLength: 1023 }), (patterns) => {
      const values = new Float32Array(Uint32Array.from(patterns).buffer);
      const { tensor, pieces } = cut(values);
      const decoder = new ShortTensorDecoder(tensor, pieces[0]!, { xxh3 });
      assert.is(decoder.values, undefined);
      assert.is(decoder.cosine, 0);
      decoder.add(0, pieces[1]!);
      const high = decoder.values!;
      const { cosine } = similarity(values, high);
      if (Number.isFinite(cosine)) assert.ok(Math.abs(decoder.cosine - cosine) < 1e-12);
      for (const [i, value] of values.entries()) {
        if (value === 0 || Math.abs(value) === Number.POSITIVE_INFINITY) assert.is(high[i], value);
        // Half of the last bit of six that are sent of a number.
        else if (Math.abs(value) > 2 ** -126) assert.ok(Math.abs(high[i]! - value) <= Math.abs(value) / 64);
      }
      decoder.add(1, pieces[2]!);
      assert.ok(decoder.complete && decoder.cosine === 1);
      assert.equal(
        [...new Uint32Array(decoder.values!.buffer)],
        patterns.map((one) => one >>> 0),
      );
    }),
    { numRuns: 300 },
  );
});

const SIZES = [23, 24, 300, 1023, 1024];
const values = SIZES.map((size, i) => noise(size).map((one) => (i + 1) * one));
const model = modelOf(
  SIZES.map((size) => ({ name: `b${size}`, dtype: 'F32', shape: [size] })),
  undefined,
  (_, __, i) => viewBytes(values[i]!),
);

test('a model file has them in parts, of which the first takes less than a third, and gives them back', async () => {
  const file = await encodeToModelFile({ m: model });
  const { tensors } = await readModelFile(bytesSource(file));
  assert.equal(
    tensors.map(({ pieces }) => pieces.length),
    [1, 3, 3, 3, 1 + tensors[4]!.encoded!.cosines.length],
  );
  for (const { byteLength, pieces, encoded } of tensors.slice(2, 4)) {
    assert.ok(pieces[1]!.length < byteLength / 3);
    assert.ok(pieces[0]!.length + pieces[1]!.length + pieces[2]!.length < byteLength);
    assert.ok(encoded!.cosines[0]! > 0.9999 && encoded!.cosines[0]! < 1);
  }
  assert.ok(Buffer.from((await decodeFromModelFile(file)).files.m!).equals(model));
  await using opened = await openModel(file);
  const { cosine, data, complete } = (await opened.load({ quality: 0.99 })).get('b300')!;
  assert.is(complete, false);
  assert.ok(cosine > 0.9999 && Math.abs(similarity(values[2]!, data).cosine - cosine) < 1e-6);
  const whole = (await opened.load()).get('b300')!;
  assert.ok(whole.complete && Buffer.from(viewBytes(whole.data)).equals(viewBytes(values[2]!)));
});

test('tensors to keep are whole, and so are those of other types', async () => {
  const kept = await modelFileOf(model, { keep: (name) => name === 'b300' });
  assert.is((await readModelFile(bytesSource(kept))).tensors[2]!.encoded, undefined);
  const half = modelOf([{ name: 'h', dtype: 'F16', shape: [300] }]);
  assert.is((await readModelFile(bytesSource(await modelFileOf(half)))).tensors[0]!.encoded, undefined);
});

test('parts that are damaged, or those of another tensor, are refused', async () => {
  const { tensor, pieces } = cut(values[2]!);
  const [first, high, low] = pieces as [Uint8Array, Uint8Array, Uint8Array];
  const open = (changed: Partial<ModelFileTensor>, start = first) =>
    new ShortTensorDecoder({ ...tensor, ...changed }, start, { xxh3 });
  throws(() => open({ dtype: 'I32' }), FormatError, /its form is wrong/);
  throws(() => open({ shape: [1024] }), FormatError, /at most 1023 elements/);
  throws(() => open({ pieces: tensor.pieces.slice(1) }), FormatError, /3 pieces/);
  throws(() => open({}, first.slice(0, -1)), TruncatedError);
  throws(() => open({}, Uint8Array.of(...first, 0)), FormatError, /its length is wrong/);
  for (const bits of [0, 23, 255]) throws(() => open({}, first.with(1, bits)), FormatError, /number of bits/);
  throws(() => open({}).add(0, high.with(9, high[9]! ^ 4)), ChecksumError);
  throws(() => open({}).add(0, low), ChecksumError);
  /** Parts whose hashes are right. */
  const opened = (...parts: Uint8Array[]) => {
    const hashes = new BigUint64Array([high, low].map((part, i) => xxh3(parts[i] ?? part)));
    return open({}, Uint8Array.of(FORMS.short, 5, ...new Uint8Array(hashes.buffer)));
  };
  for (const part of [high.slice(0, 20), high.slice(0, -1), new Uint8Array(0)])
    throws(() => opened(part).add(0, part), FormatError);
  const long = Uint8Array.of(...high, 0);
  throws(() => opened(long).add(0, long), FormatError, /length of a part/);
  for (const base of [0, 255]) {
    const part = high.with(0, base);
    throws(() => opened(part).add(0, part), FormatError, /an exponent is wrong/);
  }
  for (const part of [low.slice(0, -1), Uint8Array.of(...low, 0)]) {
    const decoder = opened(high, part);
    decoder.add(0, high);
    throws(() => decoder.add(1, part), FormatError);
  }
  const early = new ModelTensorDecoder(tensor, { xxh3 } as never);
  await early.add(0, first);
  throws(() => early.add(2, low), FormatError, /the part before it is missing/);
  assert.is(finish(early.reconstructingTensor()), undefined);
});

test('they do not go to the staging store, as long as all of them take little memory', async () => {
  const store = memoryStagingStore();
  const created: string[] = [];
  const counting: StagingStore = {
    open: store.open,
    create(name) {
      created.push(name);
      return store.create(name);
    },
  };
  assert.equal(await encodeToModelFile({ m: model }, {}, counting), await encodeToModelFile({ m: model }));
  assert.equal(created, ['4']);
  const kept = withSmallInMemory(counting, (name) => (name === 'large' ? undefined : 2 ** 24));
  for (const name of ['a', 'large', 'b', 'c']) {
    const sink = await kept.create(name);
    await sink.write(new TextEncoder().encode(name), 0);
    await sink.close();
  }
  assert.equal(created, ['4', 'large', 'c']);
  for (const name of ['a', 'large', 'b', 'c'])
    assert.is(new TextDecoder().decode(await (await kept.open(name))!.read(0, name.length)), name);
  assert.is(await kept.open('d'), undefined);
});

test('rows are read without a load, from what the tensor has in the file', async () => {
  const values = noise(20 * 16);
  const large = noise(2048);
  const tensors = [
    { name: 'small', dtype: 'F32', shape: [20, 16] },
    { name: 'large', dtype: 'F32', shape: [64, 32] },
  ] as const;
  const plain = modelOf(tensors, undefined, (_, __, i) => viewBytes(i === 0 ? values : large).slice());
  const file = await encodeToModelFile({ 'model.safetensors': plain });
  const source = bytesSource(file);
  let bytes = 0;
  const read: typeof source.read = (offset, length, options) => {
    bytes += length;
    return source.read(offset, length, options);
  };
  const model = await openModel({ ...source, read });
  bytes = 0;
  const rows = await model.rows('small', 3, 7);
  assert.equal([rows.dtype, rows.shape], ['F32', [4, 16]]);
  assert.equal(rows.data, values.slice(3 * 16, 7 * 16));
  assert.ok(bytes < 2 * 4 * values.length, `${bytes}`);
  assert.equal((await model.rows('small', 20, 20)).shape, [0, 16]);
  await rejects(model.rows('small', 3, 21), ArgumentError, /small/);
  await rejects(model.rows('large', 0, 1), UnsupportedError, /load the tensor first/);
  const all = await model.load();
  assert.equal((await model.rows('small', 3, 7)).data, rows.data);
  assert.equal(all.get('small')!.data, values);

  const { tensors: own } = await readModelFile(source, {});
  const { pieces } = own.find(({ name }) => name === 'small')!;
  const broken = file.slice();
  broken[pieces[2]!.offset]! ^= 1;
  const damaged = await openModel(bytesSource(broken));
  await rejects(damaged.rows('small', 0, 1), ChecksumError, /wrong checksum/);
});

test.run();
