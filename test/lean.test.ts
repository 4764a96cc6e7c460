import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BUNDLES, bundle, LEAN_FILE } from '../scripts/bundles.js';
import { DYNAMIC_IMPORT, LEFT_OUT, leaveOut } from '../scripts/leftOut.js';
import { bytesSource } from '../sources/bytes.js';
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
const { openModel, UnsupportedError, FormatError }: typeof import('../lean.js') = await import(
  join(scratch, LEAN_FILE)
);

test.after(() => rmSync(scratch, { recursive: true }));

test('loads a model file over HTTP, to a quality and whole, and gives the file that it was made of', async () => {
  const { digits } = TRAINED_FILES;
  await using server = await fileServer({ 'x.holo.safetensors': await modelFileOf(digits) });
  const model = await openModel(`${server.url}x.holo.safetensors`);
  const rough = await model.load({ quality: 0.9 });
  assert.equal([...rough.keys()].sort(), model.tensors.map(({ name }) => name).sort());
  const whole = await model.load({ as: 'source' });
  await using plain = await fileServer({ 'x.safetensors': digits });
  const original = await (await openModel(`${plain.url}x.safetensors`)).load({ as: 'source' });
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

test('a folder on a server with a safetensors file, or with shards, has no model directory', async () => {
  const { digits } = TRAINED_FILES;
  const plain = await openModel(bytesSource(digits));
  const names = plain.tensors.map(({ name }) => name);
  const index = { weight_map: Object.fromEntries(names.map((name) => [name, 'a.safetensors'])) };
  const folders = [
    { 'model.safetensors': digits },
    { 'model.safetensors.index.json': Buffer.from(JSON.stringify(index)), 'a.safetensors': digits },
  ];
  for (const files of folders) {
    await using server = await fileServer(files);
    const model = await openModel(server.url);
    assert.is((await model.load()).size, names.length);
  }
});

test('what it does not have is an UnsupportedError of its own, each time', async () => {
  const digits = await modelFileOf(TRAINED_FILES.layers);
  const manifest = new TextEncoder().encode('{"format":"holostream-model","version":1,"tensors":[]}');
  for (let time = 0; time < 2; time++) {
    await rejects(
      openModel('no-such-folder'),
      UnsupportedError,
      /^Cannot load files on disk: holostream\/lean does not have them/,
    );
    const folder = openModel((name) => (name === 'manifest.json' ? manifest : undefined));
    await rejects(folder, UnsupportedError, /^Cannot load model directories: /);
    const model = await openModel(bytesSource(digits));
    await rejects(model.load({ workers: 2 }), UnsupportedError, /^Cannot load workers: /);
  }
});

test('refuses other files as holostream does', async () => {
  await rejects(openModel(new Uint8Array(100)), FormatError, /^Cannot/);
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
