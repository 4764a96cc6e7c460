import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  bytesSource,
  CodecError,
  FormatError,
  HctReader,
  type HolostreamError,
  HoloTensorReader,
  LimitError,
  ModelReader,
  NpyReader,
  openModel,
} from 'holostream';
import { readModelFile } from 'holostream/formats';
import { modelFolder } from 'holostream/node';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WorkerPool } from '../../workers/pool.js';
import { failed, ok, runCli, temporaryFolder } from '../helpers/cli.js';
import { fileServer } from '../helpers/fileServer.js';
import { modelOf } from '../helpers/models.js';

const test = suite('errors of damaged tensors say where');
const folder = temporaryFolder();
const names = ['first.weight', 'second.weight'];
const plain = join(folder, 'm.safetensors');
writeFileSync(plain, modelOf(names.map((name) => ({ name, dtype: 'F32', shape: [256, 256] }))));
const at = (name: string) => join(folder, name);
ok(await runCli(['encode', plain, '-o', at('m.holo.safetensors')]));
ok(await runCli(['encode', plain, '-o', at('dir/')]));
ok(await runCli(['encode', plain, '-o', at('w.hct'), '--tensor', names[1]!]));
ok(await runCli(['decode', at('w.hct'), '-o', at('w.npy')]));
ok(await runCli(['encode', plain, '-o', at('w.holo'), '--tensor', names[1]!]));

/** The same file with a bit flipped. */
function damaged(name: string, byte: number): string {
  const bytes = new Uint8Array(readFileSync(at(name)));
  bytes[byte]! ^= 0x10;
  mkdirSync(at('damaged'), { recursive: true });
  const path = at(`damaged/${name.split('/').at(-1)}`);
  writeFileSync(path, bytes);
  return path;
}

async function errorOf(work: () => Promise<unknown>): Promise<HolostreamError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof FormatError || error instanceof LimitError, String(error));
    return error;
  }
  throw new Error('it took what is damaged');
}

function says(error: HolostreamError, file: string, tensor: string | undefined): void {
  assert.is(error.file, file, error.message);
  assert.is(error.tensor, tensor, error.message);
  assert.ok(error.message.includes(file), error.message);
  if (tensor !== undefined) assert.ok(error.message.includes(`tensor ${tensor}`), error.message);
  assert.is(error.message.split(file).length, 2, `the file is said once: ${error.message}`);
}

const { tensors, dataStart } = await readModelFile(bytesSource(readFileSync(at('m.holo.safetensors'))));
const pieces = tensors.flatMap(({ name, pieces }) =>
  pieces.map(({ offset, length }, piece) => ({ name, piece, byte: offset + Math.floor(length / 2) })),
);

test('a model file: every piece of every tensor, by its path', async () => {
  assert.ok(pieces.length > 6);
  for (const { name, piece, byte } of pieces) {
    const path = damaged('m.holo.safetensors', byte);
    const model = await openModel(path);
    const error = await errorOf(() => model.load());
    await model.close();
    says(error, path, name);
    assert.is(error.fragmentIndex, piece === 0 ? undefined : piece - 1);
  }
});

test('a model file: by its URL, with workers, as one tensor, as a file', async () => {
  const { name, byte } = pieces.at(-1)!;
  const bytes = readFileSync(damaged('m.holo.safetensors', byte));
  await using server = await fileServer({ 'm.holo.safetensors': bytes });
  const url = `${server.url}m.holo.safetensors`;
  const pool = new WorkerPool(1, { url: new URL('../helpers/workerFromSource.mjs', import.meta.url) });
  for (const options of [{}, { workers: pool }, { tensors: [name] }]) {
    const model = await openModel(url);
    says(await errorOf(() => model.load(options)), url, name);
    const file = await model.file();
    says(await errorOf(() => file.read(0, file.size)), url, name);
    await model.close();
  }
  pool.close();
});

test('a header: the file', async () => {
  for (const byte of [12, Math.floor(dataStart / 2)]) {
    const path = damaged('m.holo.safetensors', byte);
    says(await errorOf(() => openModel(path)), path, undefined);
  }
  const path = damaged('m.safetensors', 9);
  says(await errorOf(() => openModel(path)), path, undefined);
});

test('a model directory: the tensor and its file', async () => {
  for (const [i, tensor] of names.entries()) {
    const file = `${tensor}.hct`;
    const target = at(`dir-${i}`);
    cpSync(at('dir'), target, { recursive: true });
    const { size, name } = { size: readFileSync(join(target, file)).length, name: join(target, file) };
    // In the header, in a block, and a byte too few.
    for (const byte of [20, size - 50]) {
      writeFileSync(name, readFileSync(damaged(`dir/${file}`, byte)));
      const model = await openModel(`${target}/`);
      says(await errorOf(() => model.load()), name, tensor);
      await model.close();
      const reader = await ModelReader.open(modelFolder(target));
      says(await errorOf(() => reader.read(tensor)), name, tensor);
    }
    writeFileSync(name, readFileSync(at(`dir/${file}`)).subarray(0, size - 1));
    const reader = await ModelReader.open(modelFolder(target));
    says(await errorOf(() => reader.read(tensor)), name, tensor);
  }
});

test('HCT and HoloTensor: the file, and the block or fragment', async () => {
  const hct = damaged('w.hct', readFileSync(at('w.hct')).length - 50);
  const reader = await HctReader.open(hct);
  for (const work of [
    () => reader.readAll(),
    () => reader.read(0, 262_144),
    () => reader.readRows(0, 256),
    () => reader.validateChecksums(),
  ]) {
    const error = await errorOf(work);
    says(error, hct, names[1]);
    assert.type(error.blockIndex, 'number');
  }
  await reader.close();
  const holo = damaged('w.holo', readFileSync(at('w.holo')).length - 1);
  const fragments = await HoloTensorReader.open(holo);
  for (const work of [
    () => fragments.readAll(),
    () => fragments.readAll({ dtype: 'source' }),
    () => fragments.readToQuality(1),
    () => fragments.readFragments(fragments.entries.map(({ index }) => index)),
    () => fragments.readFragment(fragments.entries.length - 1),
    () => fragments.readInto(new Uint8Array(100)),
  ]) {
    const error = await errorOf(work);
    says(error, holo, undefined);
    assert.is(error.fragmentIndex, fragments.entries.length - 1);
  }
  await fragments.close();
});

test('the class of the error, and what it compared, stay; the first one is its cause', async () => {
  const holo = damaged('w.holo', readFileSync(at('w.holo')).length - 1);
  const reader = await HoloTensorReader.open(holo, { verify: false });
  const error = await errorOf(() => reader.readAll());
  await reader.close();
  assert.instance(error, CodecError);
  assert.is((error.cause as HolostreamError).what, error.what);
  assert.is((error.cause as HolostreamError).file, undefined);
});

test('what is too large for the limits is named, too', async () => {
  const limits = { tensorBytes: 1000 };
  for (const path of ['m.holo.safetensors', 'm.safetensors'].map(at)) {
    const model = await openModel(path, { limits });
    const file = await model.file();
    for (const work of [
      () => model.load(),
      () => model.load({ tensors: [names[1]!] }),
      () => file.read(file.size - 2000, 2000),
    ]) {
      const error = await errorOf(work);
      assert.ok(names.includes(error.tensor!), error.message);
      assert.is(error.file, path);
    }
    await model.close();
  }
  const npy = at('w.npy');
  const reader = await NpyReader.open(npy, { limits });
  for (const work of [() => reader.readAll(), () => reader.readRows(0, 256)]) {
    assert.is((await errorOf(work)).file, npy);
  }
  await reader.close();
});

test('the command says it of all of them, and of standard input', async () => {
  const { name, byte } = pieces.at(-1)!;
  const path = damaged('m.holo.safetensors', byte);
  const where = new RegExp(`damaged/m\\.holo\\.safetensors, tensor ${name}, fragment`);
  failed(await runCli(['verify', path]), 1, where);
  failed(await runCli(['decode', path, '-o', at('out.safetensors')]), 1, where);
  failed(
    await runCli(['verify', '-'], { input: readFileSync(path) }),
    1,
    new RegExp(`\\(standard input, tensor ${name}, fragment`),
  );
  const hct = damaged('w.hct', readFileSync(at('w.hct')).length - 50);
  failed(await runCli(['verify', hct]), 1, /damaged\/w\.hct, tensor second\.weight, block \d+\)/);
  failed(
    await runCli(['decode', '-', '-o', at('out.npy')], { input: readFileSync(hct) }),
    1,
    /\(standard input, block/,
  );
});

test.run();
