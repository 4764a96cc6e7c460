import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkModelDirectoryCommands } from '../helpers/checks/commands.js';
import { failed, ok, runCli, temporaryFolder } from '../helpers/cli.js';
import { HOSTILE_TENSORS, modelOf } from '../helpers/models.js';
import { DIGITS_PATH } from '../helpers/trained.js';

const test = suite('command line: model directories');
const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);

const hostile = modelOf(HOSTILE_TENSORS, new Map([['note', 'text']]));
writeFileSync(at('hostile.safetensors'), hostile);

/** A fresh model directory to break. */
async function encoded(name: string): Promise<string> {
  ok(await runCli(['encode', at('hostile.safetensors'), '-o', `${at(name)}/`]));
  return at(name);
}

test('hostile names stay in the folder, and everything comes back bit for bit', async () => {
  const outside = readdirSync(folder);
  const model = await encoded('model');
  assert.equal(readdirSync(folder).sort(), [...outside, 'model'].sort());
  const { tensors } = JSON.parse(readFileSync(join(model, 'manifest.json'), 'utf8'));
  const files = tensors.map(({ file }: { file: string }) => file);
  assert.equal(readdirSync(model).sort(), [...files, 'manifest.json'].sort());
  assert.is(new Set(files.map((file: string) => file.toLowerCase())).size, HOSTILE_TENSORS.length);
  const [decoded, piped, verified, shown, listed] = await Promise.all([
    runCli(['decode', model, '-o', at('back.safetensors')]),
    runCli(['decode', `${model}/`, '-o', '-']),
    runCli(['verify', model]),
    runCli(['inspect', model, '--json']),
    runCli(['inspect', model]),
  ]);
  ok(decoded!);
  assert.equal(readFileSync(at('back.safetensors')), Buffer.from(hostile));
  assert.equal(ok(piped!), Buffer.from(hostile));
  assert.is(ok(verified!).toString(), 'ok: 13 tensors decoded, 13 hashes verified\n');
  assert.equal(JSON.parse(ok(shown!).toString()).tensors, tensors);
  // A name with an escape sequence must not reach the terminal as one.
  assert.not(ok(listed!).includes('\u001b'));
});

test('a trained model, from standard input too', () => checkModelDirectoryCommands(folder, DIGITS_PATH));

test('inspect and verify a safetensors file', async () => {
  const [shown, listed, verified] = await Promise.all([
    runCli(['inspect', at('hostile.safetensors'), '--json']),
    runCli(['inspect', at('hostile.safetensors')]),
    runCli(['verify', at('hostile.safetensors')]),
  ]);
  const { format, metadata, tensors } = JSON.parse(ok(shown!).toString());
  assert.equal([format, metadata, tensors.length], ['safetensors', { note: 'text' }, 13]);
  assert.match(ok(listed!).toString(), /^large +F32 +\[600, 700\] +1\.60 MiB$/m);
  assert.match(ok(verified!).toString(), /^ok: 13 tensors/);
});

test('an older model directory is replaced; a failure, or other files, leave what is there', async () => {
  const model = await encoded('replaced');
  writeFileSync(at('cut.safetensors'), hostile.subarray(0, hostile.length - 4));
  const before = readdirSync(model);
  failed(
    await runCli(['encode', at('cut.safetensors'), '-o', `${model}/`]),
    1,
    /Cannot read the safetensors file: it is too short/,
  );
  assert.equal(readdirSync(model), before);
  writeFileSync(at('small.safetensors'), modelOf([{ name: 'w', dtype: 'F32', shape: [3] }]));
  ok(await runCli(['encode', at('small.safetensors'), '-o', model]));
  assert.equal(readdirSync(model).sort(), ['manifest.json', 'w.hct']);
  writeFileSync(join(model, 'notes.txt'), 'mine');
  failed(await runCli(['encode', at('hostile.safetensors'), '-o', model]), 2, /in use .*notes\.txt/);
  assert.equal(readdirSync(model).sort(), ['manifest.json', 'notes.txt', 'w.hct']);
  mkdirSync(at('other'));
  writeFileSync(at('other', 'manifest.json'), '{}');
  failed(await runCli(['encode', at('small.safetensors'), '-o', at('other')]), 2, /in use/);
  const left = readdirSync(folder).filter((name) => name.includes('partial'));
  assert.equal(left, []);
});

test('a broken or hostile directory: exit code 1, and no output', async () => {
  const edit = (from: string, to: string) => (model: string) => {
    const path = join(model, 'manifest.json');
    const text = readFileSync(path, 'utf8');
    assert.ok(text.includes(from));
    writeFileSync(path, text.replace(from, to));
  };
  const intact = await encoded('intact');
  writeFileSync(at('secret.hct'), 'secret');
  const cases: [string, (model: string) => void, RegExp][] = [
    ['outside', edit('"__x.hct"', '"../secret.hct"'), /plain file name/],
    ['absolute', edit('"__x.hct"', JSON.stringify(at('secret.hct'))), /plain file name/],
    [
      'link',
      (model) => {
        renameSync(join(model, '__x.hct'), at('moved.hct'));
        symlinkSync(at('moved.hct'), join(model, '__x.hct'));
      },
      /link out of its folder/,
    ],
    ['absent', (model) => renameSync(join(model, 'wide.raw'), at('gone.raw')), /Cannot open model file/],
    ['size', edit('"byteLength": 70000', '"byteLength": 70001'), /byteLength of U8/],
    [
      'bits',
      (model) => {
        const path = join(model, 'counts.raw');
        const bytes = readFileSync(path);
        bytes[100]! ^= 1;
        writeFileSync(path, bytes);
      },
      /Cannot use the bytes of the tensor: wrong hash \([^ ]+, tensor counts\)/,
    ],
    ['json', (model) => writeFileSync(join(model, 'manifest.json'), '{'), /not JSON/],
  ];
  for (const [name, change, pattern] of cases) {
    const [model, output] = [at(name), at(`${name}.safetensors`)];
    cpSync(intact, model, { recursive: true });
    change(model);
    const [decoded, verified] = await Promise.all([
      runCli(['decode', model, '-o', output]),
      runCli(['verify', model]),
    ]);
    failed(decoded!, 1, pattern);
    failed(verified!, 1, pattern);
    assert.not(readdirSync(folder).includes(`${name}.safetensors`));
  }
  mkdirSync(at('nothing'));
  failed(await runCli(['inspect', at('nothing')]), 1, /Cannot find a model: the folder has no file for it/);
});

test.run();
