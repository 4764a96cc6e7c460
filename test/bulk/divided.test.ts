import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type BulkEncodeOptions,
  type BulkProgress,
  type ConvertOptions,
  cleanStorage,
  convertModels,
  folderStorage,
} from '../../bulk/index.js';
import { WorkerPool } from '../../workers/pool.js';
import { temporaryFolder } from '../helpers/cli.js';
import { encodeToModelFile } from '../helpers/modelFiles.js';
import { modelOf, type TestTensor } from '../helpers/models.js';

const test = suite('bulk: tensors that are divided');

/** Weights as networks have them, with columns of different scales, mostly zeros, or with numbers that are not finite, by name. */
function fill({ name, dtype, shape }: TestTensor, byteLength: number): Uint8Array {
  let state = name.length;
  /** About a Gaussian. */
  const next = () => {
    let sum = -2;
    for (let i = 0; i < 4; i++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      sum += state / 2 ** 32;
    }
    return sum;
  };
  const last = shape.at(-1)!;
  const count = shape.reduce((product, n) => product * n, 1);
  const values = Float32Array.from({ length: count }, (_, i) => {
    const scale = name.includes('columns') ? 1 + (8 * (i % last)) / last : 1;
    return name.includes('sparse') && i % 7 !== 0 ? 0 : 0.02 * scale * next();
  });
  if (name.includes('special')) {
    values[5] = Number.NaN;
    values[count - 1] = Number.POSITIVE_INFINITY;
  }
  const bits = new Uint32Array(values.buffer);
  if (dtype === 'F32') return new Uint8Array(values.buffer);
  if (dtype === 'BF16') return new Uint8Array(Uint16Array.from(bits, (word) => word >>> 16).buffer);
  // Any bytes are floats of eight bits.
  return Uint8Array.from({ length: byteLength }, (_, i) => (bits[i]! >>> 17) & 0xff);
}

const KINDS = ['even', 'columns', 'sparse', 'special'];
const DTYPES = ['F32', 'BF16', 'F8_E4M3'] as const;
const TENSORS: readonly TestTensor[] = [
  ...DTYPES.flatMap((dtype) => KINDS.map((kind) => ({ name: `${dtype}.${kind}`, dtype, shape: [151, 150] }))),
  { name: 'kernel', dtype: 'F32', shape: [10, 16, 3, 50] },
  { name: 'five.dimensions', dtype: 'F32', shape: [3, 5, 7, 11, 31] },
  // As a vector, it has no columns.
  { name: 'five.dimensions.columns', dtype: 'BF16', shape: [3, 5, 7, 11, 31] },
  { name: 'vector', dtype: 'BF16', shape: [20_001] },
  { name: 'small', dtype: 'F32', shape: [10] },
];
const MODEL = modelOf(TENSORS, undefined, fill);
const EXPECTED = await encodeToModelFile({ 'model.safetensors': MODEL });
const DIVIDED: ConvertOptions = { maxUnitBytes: 30_000 };
const OUTPUT = 'one.holo.safetensors';

async function place(model: Uint8Array = MODEL) {
  const folder = temporaryFolder();
  const source = join(folder, 'model.safetensors');
  writeFileSync(source, model);
  const target = join(folder, 'target');
  const storage = await folderStorage(target);
  const run = async (options: ConvertOptions = {}, output = OUTPUT) => {
    const models = [{ sources: [source], output }];
    const [result] = await convertModels(models, storage, { ...DIVIDED, ...options });
    if (result?.error !== undefined) throw result.error;
    return [result!.encodedUnits, result!.foundUnits] as const;
  };
  const file = (output = OUTPUT) => readFileSync(join(target, output));
  const own = (path: string) =>
    readdirSync(join(target, '.holostream', path), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  return { source, target, storage, run, file, own };
}

const alone = (model: Uint8Array, encode?: BulkEncodeOptions['encode']) =>
  encodeToModelFile({ 'model.safetensors': model }, { encode });

test('the file is that of one machine, byte for byte; a second run encodes nothing', async () => {
  const { run, file, target } = await place();
  const progress: BulkProgress[] = [];
  const [encoded, found] = await run({ onProgress: (one) => progress.push(one) });
  // That of the tensor that is stored plain has nothing to encode.
  assert.ok(encoded > TENSORS.length && found === 1, `${encoded} units`);
  assert.ok(file().equals(EXPECTED));
  const last = progress.findLast(({ stage }) => stage === 'encode')!;
  assert.is(last.bytes, last.totalBytes);
  assert.equal(await run(), [0, 0]);
  rmSync(join(target, OUTPUT));
  assert.equal(await run(), [0, encoded + found]);
  assert.ok(file().equals(EXPECTED));
});

/** Fragments of half a megabyte and more, some of which Zstandard makes smaller. */
const LARGE = modelOf(
  [
    { name: 'large.columns', dtype: 'F32', shape: [400, 1000] },
    { name: 'large.sparse', dtype: 'F32', shape: [1000, 1000] },
  ],
  undefined,
  fill,
);

test('large fragments, too, in threads; qualities in place of a number of fragments', async () => {
  const { run, file } = await place(LARGE);
  const workers = new WorkerPool(1, { url: new URL('../helpers/workerFromSource.mjs', import.meta.url) });
  for (const encode of [{ fragments: 3 }, { qualities: [0.9, 0.99] }]) {
    await run({ encode, maxUnitBytes: 2 ** 20, workers });
    assert.ok(file().equals(await alone(LARGE, encode)), JSON.stringify(encode));
  }
  workers.close();
});

test('shards divide the ranges, in any order; what joins encodes what is missing', async () => {
  const { run, file } = await place();
  const parts = [await run({ shard: { index: 2, count: 3 } }), await run({ shard: { index: 0, count: 3 } })];
  const [missing, found] = await run({ shard: { index: 0, count: 1 }, join: true });
  const earlier = parts.reduce((sum, [encoded, found]) => sum + encoded + found, 0);
  assert.ok(missing > 0 && found >= earlier && found <= earlier + 1);
  assert.ok(file().equals(EXPECTED));
});

test('ranges are found by their content in another model', async () => {
  const { run, file } = await place();
  const [encoded, plain] = await run();
  assert.equal(await run({}, 'copy'), [0, encoded + plain]);
  assert.ok(file('copy').equals(file()));
});

test('damaged ranges, plans and notes are made anew, missing ones too', async () => {
  const model = modelOf([{ name: 'w', dtype: 'F32', shape: [40, 300] }], undefined, fill);
  const { run, file, own, target } = await place(model);
  await run();
  const paths = [...own('units'), ...own('models')];
  // Two ranges, what is before the fragments, and notes of them, of the plan and that it is done.
  assert.is(paths.length, 2 + 1 + 2 + 1 + 1 + 1);
  const damages = [
    (bytes: Buffer) => bytes.subarray(0, bytes.length / 2),
    (bytes: Buffer) => bytes.map((byte, i) => (i > 100 ? byte ^ 1 : byte)),
    () => undefined,
  ];
  const expected = await alone(model);
  for (const [i, path] of paths.entries()) {
    const bytes = damages[i % damages.length]!(readFileSync(path));
    if (bytes === undefined) rmSync(path);
    else writeFileSync(path, bytes);
    rmSync(join(target, OUTPUT), { force: true });
    // What is before the fragments, and then a range, may be found damaged one after the other.
    const until = async () => {
      for (let attempt = 1; attempt < 3; attempt++) {
        const error = await run().then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error === undefined) return;
        assert.match(String(error), /damaged.*run again/);
      }
      await run();
    };
    await until();
    assert.ok(file().equals(expected), path);
  }
});

test('ranges of a model under way stay, and those of one that is converted can be deleted', async () => {
  const { run, own, storage, target } = await place();
  await run({ shard: { index: 0, count: 1 } });
  const units = own('units');
  for (const path of [...units, ...own('models')]) utimesSync(path, 1, 1);
  const [note] = own('models');
  utimesSync(note!, new Date(), new Date());
  assert.is((await cleanStorage(storage)).keptUnits, units.length);
  assert.equal(own('units'), units);
  await run();
  assert.is((await cleanStorage(storage, { olderThan: 0 })).keptUnits, 0);
  assert.equal(own('units'), []);
  assert.equal(await run(), [0, 0]);
  rmSync(join(target, OUTPUT));
  assert.ok((await run())[0] > TENSORS.length);
});

test('other encodings, and tensors that are kept, are not divided', async () => {
  const { run, own } = await place();
  await run({ keep: ['*'] });
  assert.is(own('models').filter((path) => path.endsWith('plan.json')).length, 0);
  const few = modelOf([{ name: 'w', dtype: 'F32', shape: [40, 300] }], undefined, fill);
  const other = await place(few);
  assert.equal(await other.run({ encode: { encoding: 'spectral', fragments: 2 } }), [1, 0]);
  assert.ok(other.file().equals(await alone(few, { encoding: 'spectral', fragments: 2 })));
});

test.run();
