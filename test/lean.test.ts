import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel as openPlain } from '../models/openModel.js';
import { BUNDLES, bundle, LEAN_FILE } from '../scripts/bundles.js';
import { DYNAMIC_IMPORT, LEFT_OUT, leaveOut } from '../scripts/leftOut.js';
import { bytesSource } from '../sources/bytes.js';
import { openCache } from '../sources/cache/cache.js';
import { memoryStore } from '../sources/cache/store.js';
import { viewBytes } from '../src/tensor/tensor.js';
import { rejects, throws } from './helpers/assertions.js';
import { fileServer } from './helpers/fileServer.js';
import { modelFileOf } from './helpers/modelFiles.js';
import { modelOf } from './helpers/models.js';
import { TRAINED_FILES } from './helpers/trained.js';

const test = suite('lean');

const root = fileURLToPath(new URL('..', import.meta.url));
/** Inside the repository, so that the bundle finds rxjs. */
const scratch = fileURLToPath(new URL(`../node_modules/.cache/lean-${process.pid}`, import.meta.url));
const lean = BUNDLES.find(({ output }) => output === LEAN_FILE)!;
const { inputs, outputs } = await bundle(lean, { dist: scratch });
const {
  openModel,
  ArgumentError,
  ChecksumError,
  TruncatedError,
  UnsupportedError,
}: typeof import('../lean.js') = await import(join(scratch, LEAN_FILE));

test.after(() => rmSync(scratch, { recursive: true }));

test('loads a model file over HTTP, to a quality and whole, and gives the file that it was made of', async () => {
  const { digits } = TRAINED_FILES;
  await using server = await fileServer({ 'x.holo.safetensors': await modelFileOf(digits) });
  const model = await openModel(`${server.url}x.holo.safetensors`);
  const rough = await model.load({ quality: 0.9 });
  assert.equal([...rough.keys()].sort(), model.tensors.map(({ name }) => name).sort());
  const whole = await model.load({ as: 'source' });
  const original = await (await openPlain(digits)).load({ as: 'source' });
  for (const [name, { data }] of original) assert.equal(whole.get(name)!.data, data);
  const file = new Uint8Array(await new Response((await model.file()).stream()).arrayBuffer());
  assert.ok(Buffer.from(file).equals(digits));
});

test('fragments that are compressed', async () => {
  const zeros = modelOf(
    [{ name: 'a', dtype: 'F32', shape: [300, 300] }],
    new Map(),
    () => new Uint8Array(360_000),
  );
  const model = await openModel(bytesSource(await modelFileOf(zeros)));
  assert.ok((await model.load()).get('a')!.data.every((value) => value === 0));
});

test('the same values as holostream: of all dtypes, to qualities, transposed, of files that end early', async () => {
  const dtypes = [
    'F32',
    'F16',
    'BF16',
    'F8_E4M3',
    'F8_E5M2',
    'F8_E4M3FNUZ',
    'F64',
    'I8',
    'I64',
    'BOOL',
  ] as const;
  const shapes = [[120, 90], [40, 3], [5]];
  const tensors = dtypes.flatMap((dtype) =>
    shapes.map((shape, i) => ({ name: `${dtype} ${i}`, dtype, shape })),
  );
  const file = new Uint8Array(await modelFileOf(modelOf(tensors)));
  const part = file.subarray(0, 0.7 * file.length);
  for (const bytes of [file, part])
    for (const as of ['F32', 'F16', 'source'] as const)
      for (const options of [
        { as, layout: 'transposed' as const },
        { as, quality: 0.9 },
      ]) {
        const [actual, expected] = await Promise.all(
          [openModel, openPlain].map(async (open) => (await open(bytes, { partial: true })).load(options)),
        );
        assert.equal([...actual!.keys()], [...expected!.keys()]);
        for (const [name, tensor] of expected!) {
          const { data, ...others } = actual!.get(name)!;
          assert.ok(Buffer.from(viewBytes(data)).equals(viewBytes(tensor.data)), `${name} as ${as}`);
          assert.equal({ ...others, data: tensor.data }, tensor);
        }
      }
  const [rows, expectedRows] = await Promise.all(
    [openModel, openPlain].map(async (open) => (await open(file)).rows('F64 0', 3, 50)),
  );
  assert.equal(viewBytes(rows!.data), viewBytes(expectedRows!.data));
});

test('from all that bytes come from, and through a cache', async () => {
  const file = new Uint8Array(await modelFileOf(TRAINED_FILES.digits));
  const inputs = [file, new Blob([file]), new Response(file), new Blob([file]).stream(), bytesSource(file)];
  for (const input of inputs) assert.ok((await (await openModel(input)).load()).size > 0);
  await using server = await fileServer({ 'x.holo.safetensors': file });
  const cache = await openCache(memoryStore());
  const url = `${server.url}x.holo.safetensors`;
  const model = await openModel(url, { cache });
  const { size } = await model.load();
  await model.close();
  assert.is((await (await openModel(url, { cache, offline: true })).load()).size, size);
  await rejects(openModel(url, { offline: true }), ArgumentError, /^Cannot open the model offline: /);
});

test('what it does not have is an UnsupportedError of its own that says where it is, each time', async () => {
  const { digits, layers } = TRAINED_FILES;
  const file = await modelFileOf(layers);
  const opened = (what: string) =>
    `Cannot open ${what}: holostream/lean has model files only; use openModel of holostream`;
  const loaded = (what: string) =>
    `Cannot load ${what}: holostream/lean does not have them; use openModel of holostream`;
  const cases: [() => Promise<unknown>, string][] = [
    [() => openModel(digits), opened('a file that is no model file')],
    [() => openModel(new Uint8Array(100)), opened('a file that is no model file')],
    [() => openModel(new Uint8Array(0)), opened('a file that is no model file')],
    [() => openModel('https://example.org/model/'), opened('a folder')],
    [() => openModel((() => file) as unknown as Blob), opened('a folder')],
    [() => openModel('hf:org/model'), opened('a model of a hub by its name')],
    [() => openModel(file, { integrity: 'x' } as object), opened('a file by its SHA-256')],
    [() => openModel('no-such-file'), loaded('files on disk')],
    [async () => (await openModel(file)).load({ workers: 2 }), loaded('workers')],
  ];
  for (let time = 0; time < 2; time++)
    for (const [run, message] of cases) {
      const { what } = await rejects(run(), UnsupportedError);
      assert.is(what, message);
    }
});

test('a shard index and a plain file on a server are refused by their names', async () => {
  await using server = await fileServer({
    'model.safetensors': TRAINED_FILES.digits,
    'model.safetensors.index.json': Buffer.from('{"weight_map":{}}'),
  });
  for (const name of ['model.safetensors', 'model.safetensors.index.json']) {
    const { file } = await rejects(
      openModel(server.url + name),
      UnsupportedError,
      /use openModel of holostream \(http/,
    );
    assert.is(file, server.url + name);
  }
});

test('refuses a damaged model file as holostream does', async () => {
  const file = await modelFileOf(TRAINED_FILES.digits);
  file[200]! ^= 1;
  await rejects(openModel(file), ChecksumError);
  await rejects(openModel(file.subarray(0, 100)), TruncatedError);
});

test('LZ4 blocks are decoded, and refused, without a kernel in wasm', async () => {
  const outfile = join(scratch, 'decoder.mjs');
  await build({
    stdin: {
      contents: "export * from './src/codecs/loadDecoder.js'; export * from './src/errors.js';",
      resolveDir: root,
    },
    ...{ outfile, bundle: true, format: 'esm', plugins: [leaveOut()] },
  });
  const { loadDecoder, CodecError } = await import(outfile);
  const { decompressInto } = await loadDecoder('lz4');
  const out = new Uint8Array(3);
  decompressInto(Uint8Array.of(0x30, 1, 2, 3), out);
  assert.equal(out, Uint8Array.of(1, 2, 3));
  throws(() => decompressInto(Uint8Array.of(0x30, 1, 2), out), CodecError, /^Cannot decode the LZ4 block: /);
});

test('what is left out is there to be left out, and nothing of it is in the bundle', () => {
  const loaded = Object.keys(inputs)
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      Array.from(readFileSync(join(root, file), 'utf8').matchAll(DYNAMIC_IMPORT), ([, specifier]) =>
        join(dirname(file), specifier!).replace(/\.js$/, ''),
      ),
    );
  const found = new Set(loaded.filter((module) => LEFT_OUT.some(([modules]) => modules.test(module))));
  for (const [modules] of LEFT_OUT)
    assert.ok(
      [...found].some((module) => modules.test(module)),
      String(modules),
    );
  const held = Object.values(outputs).flatMap((output) => Object.keys(output.inputs));
  for (const module of found) assert.not(held.includes(`${module}.ts`), module);
});

test.run();
