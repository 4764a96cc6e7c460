import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failed, ok, runCli, temporaryFolder } from '../helpers/cli.js';
import { fileServer } from '../helpers/fileServer.js';
import { modelOf } from '../helpers/models.js';

/** What commands take in place of a file: an index, a folder, a pattern, several files, and URLs of each. */
const test = suite('command line: inputs');

const INPUTS = fileURLToPath(new URL('../fixtures/inputs/', import.meta.url));
const FIRST = 'model-00001-of-00002.safetensors';
const SECOND = 'model-00002-of-00002.safetensors';
const INDEX = 'model.safetensors.index.json';

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);

/** Both shards and their index; the shards alone. */
for (const [name, files] of Object.entries({ indexed: [FIRST, SECOND, INDEX], plain: [FIRST, SECOND] })) {
  mkdirSync(at(name));
  for (const file of files) cpSync(join(INPUTS, 'shards', file), at(name, file));
}
const server = await fileServer({});
for (const file of [FIRST, SECOND, INDEX]) server.files.set(file, readFileSync(at('indexed', file)));

test.after(async () => {
  await server[Symbol.asyncDispose]();
});

/** Everything that names the same two shards. */
const MODELS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['an index', [at('indexed', INDEX)]],
  ['a folder with an index', [at('indexed')]],
  ['a folder of shards', [`${at('plain')}/`]],
  ['a pattern', [at('plain', 'model-*.safetensors')]],
  ['what a shell makes of a pattern', [at('plain', SECOND), at('plain', FIRST)]],
  ['the URL of an index', [server.url + INDEX]],
  ['the URL of a folder', [server.url]],
  ['URLs of shards', [server.url + FIRST, server.url + SECOND]],
];

for (const [name, args] of MODELS) {
  test(`${name}: inspect and verify`, async () => {
    const [shown, verified] = await Promise.all([
      runCli(['inspect', ...args, '--json']),
      runCli(['verify', ...args]),
    ]);
    const { format, tensors } = JSON.parse(ok(shown!).toString());
    assert.is(format, 'shards');
    assert.equal(
      tensors.map((found: { name: string; file: string }) => [found.name, found.file]),
      [
        ['a', FIRST],
        ['b', SECOND],
      ],
    );
    assert.is(ok(verified!).toString(), 'ok: 2 tensors; 2 files of safetensors, which has no checksums\n');
  });
}

test('shards: encoded to one file, and decoded to the same shards', async () => {
  for (const [i, args] of [
    [at('indexed')],
    [at('plain', SECOND), at('plain', FIRST)],
    [server.url + INDEX],
  ].entries()) {
    ok(await runCli(['encode', ...args, '-o', at(`out-${i}.holo.safetensors`)]));
    ok(await runCli(['decode', at(`out-${i}.holo.safetensors`), '-o', at(`out-${i}/`)]));
    for (const file of i === 1 ? [FIRST, SECOND] : [FIRST, SECOND, INDEX]) {
      assert.equal(readFileSync(at(`out-${i}`, file)), readFileSync(at('indexed', file)));
    }
  }
});

test('shards: every other way to encode, and to compare', async () => {
  for (const input of [at('indexed', INDEX), server.url]) {
    const results = await Promise.all([
      runCli(['inspect', input]),
      runCli(['encode', input, '-o', at('other/')]),
      runCli(['encode', input, '--tensor', 'b', '-o', at('other.hct')]),
      runCli(['encode', input, '--tensor', 'b', '-o', at('other.holo')]),
    ]);
    for (const result of results) ok(result);
    assert.match(ok(results[0]!).toString(), /^format +shards, with an index$/m);
    const [joined, values, compared] = await Promise.all([
      runCli(['decode', at('other'), '-o', at('joined.safetensors')]),
      runCli(['decode', at('other.hct'), '-o', '-']),
      runCli(['quality', at('other.holo'), '--against', input, '--tensor', 'b']),
    ]);
    ok(joined!);
    const shown = await runCli(['inspect', at('joined.safetensors'), '--json']);
    assert.is(JSON.parse(ok(shown).toString()).tensors.length, 2);
    assert.equal(ok(values!), Buffer.from(Float32Array.of(1, 2).buffer));
    assert.match(ok(compared!).toString(), /1\.000000/);
  }
});

test('encoded files by their URLs: every command', async () => {
  const model = at('model.safetensors');
  writeFileSync(model, modelOf([{ name: 'w', dtype: 'F32', shape: [64, 64] }]));
  for (const name of ['w.hct', 'w.holo', 'model.holo.safetensors']) {
    ok(await runCli(['encode', model, '-o', at(name)]));
    server.files.set(`encoded ${name}`, readFileSync(at(name)));
  }
  const url = (name: string) => `${server.url}encoded%20${name}`;
  for (const name of ['w.hct', 'w.holo', 'model.holo.safetensors']) {
    const [shown, verified, decoded] = await Promise.all([
      runCli(['inspect', url(name), '--json']),
      runCli(['verify', url(name)]),
      runCli(['decode', url(name), '-o', at('back.safetensors')]),
    ]);
    JSON.parse(ok(shown!).toString());
    assert.match(ok(verified!).toString(), /^ok: /);
    ok(decoded!);
    assert.ok(
      readFileSync(at('back.safetensors')).subarray(-16384).equals(readFileSync(model).subarray(-16384)),
    );
  }
  for (const name of ['w.holo', 'model.holo.safetensors']) ok(await runCli(['quality', url(name)]));
  const raw = readFileSync(model).subarray(-16384);
  server.files.set('w.raw', raw);
  ok(
    await runCli(['encode', `${server.url}w.raw`, '--dtype', 'F32', '--shape', '64,64', '-o', at('raw.hct')]),
  );
  ok(await runCli(['quality', url('w.holo'), '--against', `${server.url}w.raw`]));
  ok(await runCli(['quality', url('w.holo'), '--against', url('w.hct')]));
  failed(
    await runCli(['encode', `${server.url}w.raw`, '--dtype', 'F32', '--shape', '64,65', '-o', at('no.hct')]),
    1,
    /Cannot/,
  );
});

test('a file under the name of another format is called what it is by every command', async () => {
  const files: readonly (readonly [string, RegExp])[] = [
    ['lfs-pointer.safetensors', /a Git LFS pointer; run "git lfs pull"/],
    ['page.safetensors', /a web page/],
    ['api-error.safetensors', /JSON text.*Invalid username or password/],
    ['zip.pt.safetensors', /a zip archive/],
    ['gguf.safetensors', /a GGUF file/],
    ['w_f4.npy', /a NumPy file/],
    ['README.md', /text.*# Inputs from elsewhere/],
  ];
  for (const [name, kind] of files) {
    server.files.set(name, readFileSync(join(INPUTS, name)));
    failed(await runCli(['verify', join(INPUTS, name)]), 1, kind);
  }
  const [page] = files.filter(([name]) => name.startsWith('page'));
  for (const input of [join(INPUTS, page![0]), server.url + page![0]]) {
    const commands = [
      ['inspect', input],
      ['verify', input],
      ['decode', input, '-o', at('out.safetensors')],
      ['quality', input],
      ['encode', input, '-o', at('out.hct')],
      ['encode', input, '-o', at('out.holo')],
      ['encode', input, '-o', at('out.holo.safetensors')],
      ['encode', input, '-o', `${at('out')}/`],
    ];
    const results = await Promise.all(commands.map((args) => runCli(args)));
    for (const result of results) failed(result, 1, page![1]);
  }
});

test('headers of other writers are read by every command', async () => {
  for (const name of ['st-empty', 'st-empty-meta', 'st-meta-null', 'st-pad-newline', 'st-pad-tab']) {
    const input = join(INPUTS, `${name}.safetensors`);
    const results = await Promise.all([
      runCli(['inspect', input]),
      runCli(['verify', input]),
      runCli(['encode', input, '-o', at(`${name}.holo.safetensors`)]),
      runCli(['encode', input, '-o', `${at(name)}/`]),
    ]);
    for (const result of results) ok(result);
    ok(await runCli(['decode', at(`${name}.holo.safetensors`), '-o', at('again.safetensors')]));
    assert.equal(readFileSync(at('again.safetensors')), readFileSync(input), name);
  }
  failed(await runCli(['verify', join(INPUTS, 'st-pad-nul.safetensors')]), 1, /padded by NUL bytes/);
});

test('indexes that are not whole', async () => {
  const shards = join(INPUTS, 'shards');
  const [empty, encoded, missing, none, several] = await Promise.all([
    runCli(['verify', join(shards, 'empty.safetensors.index.json')]),
    runCli(['encode', join(shards, 'empty.safetensors.index.json'), '-o', at('empty.holo.safetensors')]),
    runCli(['inspect', join(shards, 'missing.safetensors.index.json')]),
    runCli(['inspect', at('none')]),
    runCli(['decode', at('indexed'), '-o', at('no.safetensors')]),
  ]);
  assert.is(ok(empty!).toString(), 'ok: 0 tensors\n');
  failed(encoded!, 1, /Cannot encode the model: it has no files/);
  failed(missing!, 1, /Cannot open file: it does not exist .*model-/);
  failed(none!, 1, /Cannot open file: it does not exist/);
  failed(several!, 2, /is a model in several files: decode each of them/);
});

test.run();
