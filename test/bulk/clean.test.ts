import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type BulkStorage,
  type ConvertOptions,
  cleanStorage,
  convertModels,
  folderStorage,
} from '../../bulk/index.js';
import { ArgumentError, SinkError } from '../../src/errors.js';
import { rejects } from '../helpers/assertions.js';
import { temporaryFolder } from '../helpers/cli.js';
import { encodeToModelFile } from '../helpers/modelFiles.js';
import { modelOf, type TestTensor } from '../helpers/models.js';

const test = suite('bulk: deleting what no conversion needs');

const fill = (_: TestTensor, byteLength: number, index: number) =>
  new Uint8Array(Float32Array.from({ length: byteLength / 4 }, (_, i) => Math.sin(i * (index + 1))).buffer);
const model = (...rows: number[]) =>
  modelOf(
    rows.map((count) => ({ name: `w${count}`, dtype: 'F32' as const, shape: [count, 64] })),
    undefined,
    fill,
  );
const FILES = { a: model(40), b: model(50), c: model(60) };

/** A storage in which `a` is converted, and units of `b` and `c` are encoded, all long ago. */
async function old() {
  const folder = temporaryFolder();
  for (const [name, bytes] of Object.entries(FILES)) writeFileSync(join(folder, name), bytes);
  const target = join(folder, 'target');
  const storage = await folderStorage(target);
  const run = async (name: string, options: ConvertOptions = {}, to: BulkStorage = storage) =>
    (await convertModels([{ sources: [join(folder, name)], output: `${name}.out` }], to, options))[0]!;
  await run('a');
  for (const name of ['b', 'c']) await run(name, { shard: { index: 0, count: 1 } });
  const own = () => {
    const entries = readdirSync(join(target, '.holostream'), { recursive: true, withFileTypes: true });
    return entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  };
  return { target, storage, run, own };
}

const age = (paths: readonly string[]) => {
  for (const path of paths) utimesSync(path, 1, 1);
};

test('what is young stays', async () => {
  const { storage, own } = await old();
  const before = own();
  assert.equal(await cleanStorage(storage), { objects: 0, bytes: 0, keptUnits: 3 });
  assert.equal(own(), before);
});

test('units of converted and of abandoned models go, those of models under way stay', async () => {
  const { target, storage, run, own } = await old();
  const files = own();
  age(files);
  // Of b, a note is new: a worker is at it.
  const isOfB = (path: string) => path.endsWith('0.json') && readFileSync(path, 'utf8').includes(keyOfB);
  const notes = files.filter((path) => path.endsWith('0.json'));
  const units = files.filter((path) => path.includes('units'));
  const keyOfB = await (async () => {
    const alone = await folderStorage(join(target, 'alone'));
    const source = join(target, '..', 'b');
    await convertModels([{ sources: [source], output: 'b' }], alone);
    const [unit] = readdirSync(join(target, 'alone/.holostream/units'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.length > 60)
      .map((name) => name.slice(-64));
    return unit!;
  })();
  const [noteOfB] = notes.filter(isOfB);
  utimesSync(noteOfB!, new Date(), new Date());

  const planned = await cleanStorage(storage, { dryRun: true });
  assert.equal(own(), files);
  const done = await cleanStorage(storage);
  assert.equal(done, planned);
  assert.equal([done.objects, done.keptUnits], [4, 1]);
  assert.equal(
    own().toSorted(),
    [
      noteOfB!,
      ...units.filter((path) => path.endsWith(keyOfB)),
      ...files.filter((path) => path.endsWith('done.json')),
    ].toSorted(),
  );
  assert.ok(existsSync(join(target, 'a.out')));
  const again = await run('a');
  assert.equal([again.error, again.encodedUnits, again.foundUnits], [undefined, 0, 0]);
  const joined = await run('b');
  assert.equal([joined.error, joined.encodedUnits, joined.foundUnits], [undefined, 0, 1]);
  // What was deleted is encoded again.
  rmSync(join(target, 'a.out'));
  assert.is((await run('a')).encodedUnits, 1);
  for (const name of ['a', 'b', 'c'] as const) {
    await run(name);
    const expected = await encodeToModelFile({ [name]: FILES[name] });
    assert.ok(readFileSync(join(target, `${name}.out`)).equals(expected), name);
  }
});

test('a model that is converted anew keeps its units, and a folder that does not exist is clean', async () => {
  const { target, storage, run, own } = await old();
  age(own());
  rmSync(join(target, 'a.out'));
  const notes = own().filter((path) => path.endsWith('0.json'));
  for (const path of notes) utimesSync(path, new Date(), new Date());
  assert.equal(await cleanStorage(storage), { objects: 0, bytes: 0, keptUnits: 3 });
  assert.equal([(await run('a')).encodedUnits, existsSync(join(target, 'a.out'))], [0, true]);
  const none = await folderStorage(join(target, 'none'));
  assert.equal(await cleanStorage(none), { objects: 0, bytes: 0, keptUnits: 0 });
  assert.not(existsSync(join(target, 'none')));
});

test('uploads of abandoned conversions are aborted, those of conversions under way go on', async () => {
  const { storage, run, own } = await old();
  const aborted: string[] = [];
  const uploading: BulkStorage = {
    ...storage,
    async upload(key, { resume = `upload of ${key}` }) {
      const stop = async () => {};
      const write = async () => {
        throw new SinkError('Cannot write the object: the storage said 503', { name: key });
      };
      return { offset: 0, state: resume, write, complete: stop, pause: stop, abort: stop };
    },
    async abortUploads(key, { before = Infinity } = {}) {
      assert.ok(before < Date.now());
      aborted.push(key);
    },
  };
  for (const name of ['b', 'c'])
    assert.match(String((await run(name, {}, uploading)).error), /the storage said 503/);
  const isOfC = (path: string) => readFileSync(path, 'utf8').includes('upload of c.out');
  const young = own().filter((path) => path.endsWith('upload.json') && isOfC(path));
  age(own());
  for (const path of young) utimesSync(path, new Date(), new Date());
  await cleanStorage(uploading, { dryRun: true });
  assert.equal(aborted, []);
  await cleanStorage(uploading);
  assert.equal(aborted, ['b.out']);
  assert.equal(
    own().filter((path) => path.endsWith('upload.json')),
    young,
  );
});

test('what a killed process has left of a model file goes: an upload that it has not noted, a temporary file', async () => {
  const { target, storage, run, own } = await old();
  const uploads = new Set<string>();
  // Killed: nothing after the beginning of the upload is done.
  const killed: BulkStorage = {
    ...storage,
    async upload(key) {
      uploads.add(key);
      throw new SinkError('Cannot write the object: the process was killed', { name: key });
    },
    async abortUploads(key, options) {
      uploads.delete(key);
      await storage.abortUploads!(key, options);
    },
  };
  for (const name of ['b', 'c']) assert.match(String((await run(name, {}, killed)).error), /was killed/);
  assert.equal([...uploads], ['b.out', 'c.out']);
  // A later run of one of them ends what is left, once its own file is whole.
  const { error } = await run('c', {}, { ...killed, upload: storage.upload });
  assert.is(error, undefined);
  assert.equal([...uploads], ['b.out']);
  age(own());
  await cleanStorage(killed);
  assert.equal([...uploads], []);
  assert.equal(
    own().filter((path) => path.endsWith('upload.json')),
    [],
  );
  assert.ok(existsSync(join(target, 'c.out')));
});

test('temporary files that killed processes have left of units and of notes go, with what is old', async () => {
  const { storage, run, own } = await old();
  const left = own().map((path) => join(dirname(path), `.${basename(path)}.0-1-2.tmp`));
  for (const path of left) writeFileSync(path, '{');
  assert.equal((await cleanStorage(storage)).objects, 0);
  age(own());
  assert.ok((await cleanStorage(storage)).objects > left.length);
  assert.equal(
    own().map((path) => basename(path)),
    ['done.json'],
  );
  assert.is((await run('b')).error, undefined);
  for (const key of ['.holostream/units/../x', '.holostream/./x', '.holostream//x', '.x', 'a/.x'])
    await rejects(storage.remove(key), ArgumentError, /key of an object/);
});

test.run();
