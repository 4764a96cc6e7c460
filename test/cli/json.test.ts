import { mkdirSync, writeFileSync } from 'node:fs';
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
  [['decode', at('w.holo'), '-o', at('w.npy')], 'output'],
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

test('several inputs: a list, each with its name', async () => {
  const data = JSON.parse(ok(await runCli(['verify', at('w.hct'), at('w.holo'), '--json'])).toString());
  assert.equal(
    data.map(({ name, ok }: { name: string; ok: boolean }) => [name, ok]),
    [at('w.hct'), at('w.holo')].map((name) => [name, true]),
  );
});

test('model files are models of their own, also beside plain safetensors of the same tensors', async () => {
  const files = [model, at('m.holo.safetensors'), at('m.holo.safetensors')];
  const data = JSON.parse(ok(await runCli(['inspect', ...files, '--json'])).toString());
  assert.equal(
    data.map(({ name, format }: { name: string; format: string }) => [name, format]),
    files.map((name, i) => [name, i === 0 ? 'safetensors' : 'model-file']),
  );
});

test.run();
