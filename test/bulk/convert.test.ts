import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type BulkModel,
  type BulkStorage,
  type ConvertOptions,
  convertModels,
  folderStorage,
} from '../../bulk/index.js';
import { SinkError, SourceError } from '../../src/errors.js';
import { rejects } from '../helpers/assertions.js';
import { temporaryFolder } from '../helpers/cli.js';
import { encodeToModelFile } from '../helpers/modelFiles.js';
import { HOSTILE_TENSORS, modelOf, type TestTensor } from '../helpers/models.js';

const test = suite('bulk: converting in one process');

const WEIGHTS: readonly TestTensor[] = Array.from({ length: 6 }, (_, i) => ({
  name: `layer.${i}.weight`,
  dtype: i % 2 === 0 ? 'F32' : 'BF16',
  shape: [20 + i, 64],
}));
const BIAS: TestTensor = { name: 'layer.bias', dtype: 'F32', shape: [2000] };

/** Weights as networks have them: random bytes would be NaN here and there. */
const fill = ({ dtype }: TestTensor, byteLength: number, index: number) => {
  const bytes = new Uint8Array(byteLength);
  const view = new DataView(bytes.buffer);
  const size = dtype === 'F32' ? 4 : 2;
  for (let at = 0; at < byteLength; at += size) {
    const value = Math.sin(at * (index + 1)) * 0.02;
    if (size === 4) view.setFloat32(at, value, true);
    else view.setUint16(at, new DataView(Float32Array.of(value).buffer).getUint32(0, true) >>> 16, true);
  }
  return bytes;
};

const SHARDS = {
  'model-00001-of-00002.safetensors': modelOf(WEIGHTS.slice(0, 4), undefined, fill),
  'model-00002-of-00002.safetensors': modelOf([...WEIGHTS.slice(4), BIAS], new Map([['format', 'pt']]), fill),
};
const INDEX = JSON.stringify({
  weight_map: Object.fromEntries([
    ...WEIGHTS.slice(0, 4).map(({ name }) => [name, 'model-00001-of-00002.safetensors']),
    ...[...WEIGHTS.slice(4), BIAS].map(({ name }) => [name, 'model-00002-of-00002.safetensors']),
  ]),
});

async function sharded() {
  const folder = temporaryFolder();
  const source = join(folder, 'source');
  mkdirSync(source);
  for (const [name, bytes] of Object.entries(SHARDS)) writeFileSync(join(source, name), bytes);
  writeFileSync(join(source, 'model.safetensors.index.json'), INDEX);
  const target = join(folder, 'target');
  const models: BulkModel[] = [{ sources: [source], output: 'some/model.holo.safetensors' }];
  const output = join(target, 'some', 'model.holo.safetensors');
  return { source, target, models, output, storage: await folderStorage(target) };
}

const OPTIONS: ConvertOptions = { keep: ['*.bias'], order: 'elements', importance: { 'layer.1.*': 3 } };
const alone = await encodeToModelFile(SHARDS, {
  index: INDEX,
  keep: (name) => name === 'layer.bias',
  order: 'elements',
  importance: (name) => (name.startsWith('layer.1.') ? 3 : undefined),
});

test('the file is that of encodeModelFile, byte for byte; a second run encodes nothing', async () => {
  const { models, storage, output, target } = await sharded();
  const stages = new Map<string, [number, number]>();
  const onProgress: ConvertOptions['onProgress'] = ({ stage, bytes, totalBytes }) =>
    stages.set(stage, [bytes, totalBytes]);
  const [first] = await convertModels(models, storage, { ...OPTIONS, onProgress });
  assert.equal(first, {
    output: 'some/model.holo.safetensors',
    fileSize: alone.length,
    encodedUnits: 2,
    foundUnits: 0,
  });
  assert.ok(readFileSync(output).equals(alone));
  assert.equal([...stages.keys()], ['encode', 'join']);
  for (const [bytes, totalBytes] of stages.values()) assert.is(bytes, totalBytes);
  const [again] = await convertModels(models, storage, OPTIONS);
  assert.equal(again, { ...first, encodedUnits: 0 });
  // Without the file, its units are all that is needed.
  rmSync(output);
  const [joined] = await convertModels(models, storage, OPTIONS);
  assert.equal(joined, { ...first, encodedUnits: 0, foundUnits: 2 });
  assert.ok(readFileSync(output).equals(alone));
  assert.equal(leftovers(target), []);
});

test('shards divide the units, in any order; whoever joins encodes what is missing', async () => {
  const { models, storage, output } = await sharded();
  const run = async (options: ConvertOptions) =>
    (await convertModels(models, storage, { ...OPTIONS, ...options }))[0];
  const parts = [];
  for (const index of [2, 1]) parts.push(await run({ shard: { index, count: 3 } }));
  assert.is(
    parts.reduce((sum, part) => sum + part!.encodedUnits, 0),
    1,
  );
  assert.not(existsSync(output));
  const joined = await run({ shard: { index: 0, count: 1 }, join: true });
  assert.equal([joined?.encodedUnits, joined?.foundUnits], [1, 1]);
  assert.ok(readFileSync(output).equals(alone));
  assert.equal(await run({ shard: { index: 1, count: 3 }, join: true }), undefined);
});

test('the same tensors in another model, or under another name, are found by their content', async () => {
  const { models, storage, source, target } = await sharded();
  await convertModels(models, storage, OPTIONS);
  const copy = [{ sources: [source], output: 'copy.holo.safetensors' }];
  const [found] = await convertModels(copy, storage, OPTIONS);
  assert.equal([found?.encodedUnits, found?.foundUnits], [0, 2]);
  assert.ok(readFileSync(join(target, 'copy.holo.safetensors')).equals(alone));
});

test('other options and changed sources are encoded anew', async () => {
  const { models, storage, source, output } = await sharded();
  await convertModels(models, storage, OPTIONS);
  const encode = { fragments: 2 };
  const [coarse] = await convertModels(models, storage, { ...OPTIONS, encode });
  assert.is(coarse?.encodedUnits, 2);
  assert.not(readFileSync(output).equals(alone));
  const shard = join(source, 'model-00001-of-00002.safetensors');
  const bytes = readFileSync(shard);
  bytes[bytes.length - 2]! ^= 1;
  writeFileSync(shard, bytes);
  utimesSync(shard, 1, 1);
  const [changed] = await convertModels(models, storage, OPTIONS);
  assert.equal([changed?.encodedUnits, changed?.foundUnits], [1, 1]);
  const expected = await encodeToModelFile(
    { ...SHARDS, 'model-00001-of-00002.safetensors': bytes },
    { index: INDEX, keep: (name) => name === 'layer.bias', order: 'elements', importance: importanceOf },
  );
  assert.ok(readFileSync(output).equals(expected));
});

const importanceOf = (name: string) => (name.startsWith('layer.1.') ? 3 : undefined);

test('a file that another model of the same size has replaced is made anew', async () => {
  const folder = temporaryFolder();
  const storage = await folderStorage(join(folder, 'target'));
  const output = join(folder, 'target', 'one');
  const run = async (name: string) => {
    const [result] = await convertModels([{ sources: [join(folder, name)], output: 'one' }], storage);
    return [result?.error, readFileSync(output)] as const;
  };
  const tensors: TestTensor[] = [{ name: 'w', dtype: 'I8', shape: [50] }];
  for (const [name, value] of [
    ['a', 1],
    ['b', 2],
  ] as const)
    writeFileSync(
      join(folder, name),
      modelOf(tensors, undefined, (_, byteLength) => new Uint8Array(byteLength).fill(value)),
    );
  const [, a] = await run('a');
  const [, b] = await run('b');
  // Clocks of file systems may be coarse.
  utimesSync(output, 1, 1);
  assert.is(a.length, b.length);
  assert.not(a.equals(b));
  assert.equal(await run('a'), [undefined, a]);
});

test('an upload whose note cannot be written is aborted', async () => {
  const { models, storage, output } = await sharded();
  let aborted = 0;
  const failing: BulkStorage = {
    ...storage,
    async put(key, bytes, options) {
      const isNote = key.endsWith('upload.json') && new TextDecoder().decode(bytes).includes('upload 1');
      if (isNote) throw new SinkError('Cannot write the object: full', { name: key });
      await storage.put(key, bytes, options);
    },
    async upload(key, options) {
      const upload = await storage.upload(key, options);
      const abort = () => {
        aborted++;
        return upload.abort();
      };
      return { ...upload, state: 'upload 1', abort };
    },
  };
  const [result] = await convertModels(models, failing, OPTIONS);
  assert.match(String(result?.error), /Cannot write the object: full/);
  assert.is(aborted, 1);
  assert.not(existsSync(output));
});

test('an upload goes on anywhere, also within a large piece that small ones follow', async () => {
  const { models, storage, output } = await sharded();
  let left = new Uint8Array(0);
  const resuming: BulkStorage = {
    ...storage,
    async upload(key) {
      const bytes = [left];
      const stop = async () => {};
      return {
        offset: left.length,
        state: 'upload 1',
        async write(more) {
          bytes.push(more.slice());
        },
        complete: () => storage.put(key, Buffer.concat(bytes)),
        pause: stop,
        abort: stop,
      };
    },
  };
  for (let offset = 0; offset < alone.length; offset += 997) {
    left = alone.slice(0, offset);
    const [result] = await convertModels(models, resuming, OPTIONS);
    assert.is(result?.error, undefined);
    assert.ok(readFileSync(output).equals(alone), `from byte ${offset}`);
    rmSync(output);
  }
});

test('what a folder does not tell is no missing object', async () => {
  const folder = temporaryFolder();
  const storage = await folderStorage(folder);
  writeFileSync(join(folder, 'file'), '');
  assert.is(await storage.head('missing'), undefined);
  assert.is(await storage.head('file/below'), undefined);
  // On Windows, few users may make links.
  if (process.platform === 'win32') return;
  symlinkSync('circle', join(folder, 'circle'));
  await rejects(storage.head('circle'), SourceError, /Cannot look for the file: its links lead in a circle/);
});

test('damaged units and notes are made anew, missing ones too', async () => {
  const { models, storage, output, target } = await sharded();
  await convertModels(models, storage, OPTIONS);
  const own = readdirSync(join(target, '.holostream'), { recursive: true, withFileTypes: true });
  const damage = [
    (bytes: Buffer) => bytes.subarray(0, bytes.length / 2),
    () => Buffer.from('{"tensors":[{}]}'),
  ];
  for (const [i, entry] of own.filter((one) => one.isFile()).entries()) {
    const path = join(entry.parentPath, entry.name);
    rmSync(output);
    writeFileSync(path, damage[i % 2]!(readFileSync(path)));
    const [result] = await convertModels(models, storage, OPTIONS);
    // A unit of an intact note is not looked into before it is joined.
    if (result?.error !== undefined) assert.match(String(result.error), /damaged.*run again/);
    await convertModels(models, storage, OPTIONS);
    assert.ok(readFileSync(output).equals(alone), entry.name);
  }
});

test('a model that fails stops no other', async () => {
  const folder = temporaryFolder();
  const storage = await folderStorage(join(folder, 'target'));
  writeFileSync(join(folder, 'bad.safetensors'), 'no model');
  writeFileSync(join(folder, 'good.safetensors'), modelOf(HOSTILE_TENSORS));
  const models = ['missing', 'bad', 'good'].map((name) => ({
    sources: [join(folder, `${name}.safetensors`)],
    output: `${name}.holo.safetensors`,
  }));
  const results = await convertModels(models, storage);
  assert.equal(
    results.map(({ error }) => (error as Error | undefined)?.name),
    ['SourceError', 'FormatError', undefined],
  );
  const good = await encodeToModelFile({ 'good.safetensors': modelOf(HOSTILE_TENSORS) });
  assert.ok(readFileSync(join(folder, 'target/good.holo.safetensors')).equals(good));
});

test('an abort ends the run and leaves no file under its name; the next one goes on', async () => {
  const { models, storage, output, target } = await sharded();
  for (const stage of ['encode', 'join']) {
    const controller = new AbortController();
    const reason = new Error('enough');
    const options: ConvertOptions = {
      ...OPTIONS,
      signal: controller.signal,
      onProgress: (progress) => progress.stage === stage && controller.abort(reason),
    };
    await convertModels(models, storage, options).then(
      () => assert.unreachable(),
      (error) => assert.is(error, reason),
    );
    assert.not(existsSync(output));
    assert.equal(leftovers(target), []);
  }
  const [result] = await convertModels(models, storage, OPTIONS);
  assert.is(result?.encodedUnits, 0);
  assert.ok(readFileSync(output).equals(alone));
});

test('outputs that are paths out of the storage, among our own objects, or there twice are refused', async () => {
  const { models, storage, source } = await sharded();
  for (const output of ['../x', '/x', 'a//b', '', '.holostream/units/x', 'a/..', 'C:\\x']) {
    await convertModels([{ sources: [source], output }], storage).then(
      () => assert.unreachable(output),
      (error) => assert.is(error.name, 'ArgumentError'),
    );
  }
  await convertModels([...models, ...models], storage).then(
    () => assert.unreachable(),
    (error) => assert.match(error.message, /same output/),
  );
});

/** Temporary files. */
function leftovers(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.tmp'));
}

test.run();
