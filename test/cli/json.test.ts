import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ok, runCli, temporaryFolder } from '../helpers/cli.js';
import { modelOf } from '../helpers/models.js';

const test = suite('command line: --json');
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const model = at('m.safetensors');
writeFileSync(model, modelOf([{ name: 'w', dtype: 'F32', shape: [40, 50] }]));
mkdirSync(at('to'));

/** In order: later commands read what earlier ones write. */
const COMMANDS: readonly (readonly [args: readonly string[], field: string])[] = [
  [['encode', model, '-o', at('m.holo.safetensors'), '--dry-run'], 'dryRun'],
  [['encode', model, '-o', at('m.holo.safetensors')], 'fileSize'],
  [['encode', model, '-o', at('d/')], 'fileSize'],
  [['encode', model, '--tensor', 'w', '-o', at('w.hct')], 'ratio'],
  [['encode', model, '--tensor', 'w', '-o', at('w.holo')], 'ratio'],
  ...['m.safetensors', 'm.holo.safetensors', 'd/', 'w.hct', 'w.holo'].flatMap(
    (name): (readonly [string[], string])[] => [
      [['inspect', at(name)], 'format'],
      [['verify', at(name)], 'checked'],
    ],
  ),
  [['decode', at('m.holo.safetensors'), '-o', at('back.safetensors')], 'quality'],
  [['decode', at('d/'), '-o', at('back.safetensors')], 'tensors'],
  [['decode', at('w.holo'), '-o', at('w.npy')], 'totalFragments'],
  [['decode', at('w.hct'), '-o', at('w.npy')], 'output'],
  [['quality', at('m.holo.safetensors')], 'steps'],
  [['quality', at('w.holo')], 'prefixes'],
  [['plan', at('m.holo.safetensors')], 'qualities'],
  [['bench', model, '--encoding', 'embedded', 'zstd'], 'results'],
  [['bulk', 'run', model, '--to', at('to'), '--workers=0'], '0'],
  [['bulk', 'clean', at('to')], 'keptUnits'],
];

test('every command says as data what it says in words, and nothing else', async () => {
  for (const [args, field] of COMMANDS) {
    const data = JSON.parse(ok(await runCli([...args, '--json'])).toString());
    assert.ok(field in data, `${args.join(' ')}: ${Object.keys(data).join(', ')}`);
  }
});

test('several inputs: a list, each with what was named', async () => {
  const data = JSON.parse(ok(await runCli(['verify', at('w.hct'), at('w.holo'), '--json'])).toString());
  assert.equal(
    data.map(({ input, ok }: { input: string; ok: boolean }) => [input, ok]),
    [at('w.hct'), at('w.holo')].map((name) => [name, true]),
  );
});

test('several inputs, one of them bad: the others are looked at, too', async () => {
  const bad = at('bad.holo');
  writeFileSync(bad, readFileSync(at('w.holo')).fill(0, 400, 500));
  for (const command of ['inspect', 'verify']) {
    const missing = at('missing.hct');
    const names = [at('w.hct'), ...(command === 'verify' ? [bad] : []), missing, at('w.holo')];
    const { code, stdout, stderr } = await runCli([command, ...names, '--json']);
    assert.is(code, 1);
    const reports: { readonly input: string; readonly error?: string }[] = JSON.parse(stdout.toString());
    assert.equal(
      reports.map(({ input, error }) => [input, error !== undefined]),
      names.map((name) => [name, name === bad || name === missing]),
    );
    for (const { input, error } of reports) {
      if (error) assert.ok(stderr.includes(`"${input}": ${error}`), stderr);
    }
    assert.match(stderr, new RegExp(`${names.length - 2} of ${names.length} inputs failed`));
  }
});

test('model files are models of their own, also beside plain safetensors of the same tensors', async () => {
  const files = [model, at('m.holo.safetensors'), at('m.holo.safetensors')];
  const data = JSON.parse(ok(await runCli(['inspect', ...files, '--json'])).toString());
  assert.equal(
    data.map(({ input, format }: { input: string; format: string }) => [input, format]),
    files.map((name, i) => [name, i === 0 ? 'safetensors' : 'model-file']),
  );
});

test.run();
