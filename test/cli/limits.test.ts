import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failed, ok, runCli, temporaryFolder } from '../helpers/cli.js';
import { modelOf } from '../helpers/models.js';

const test = suite('command line: limits');
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

const w = { name: 'w', dtype: 'F32', shape: [2, 1500] } as const;
writeFileSync(at('w.safetensors'), modelOf([w]));
writeFileSync(at('deep.safetensors'), modelOf([{ name: 'deep', dtype: 'F32', shape: Array(65).fill(1) }]));
for (const output of ['w.hct', 'w.holo', 'w.holo.safetensors', 'w/']) {
  ok(await runCli(['encode', at('w.safetensors'), '-o', at(output)]));
}

test('each command refuses what is beyond a limit, in files of every format', async () => {
  const out = at('out');
  const cases: [string[], string][] = [
    [['decode', at('w.hct'), '-o', `${out}.npy`], 'rank=1'],
    [['decode', at('w.holo'), '-o', `${out}.npy`], 'tensorBytes=11999'],
    [['decode', at('w.holo.safetensors'), '-o', `${out}.safetensors`], 'tensorBytes=11999'],
    [['decode', at('w.holo.safetensors'), '-o', `${out}/`], 'tensorBytes=11999'],
    [['decode', at('w/'), '-o', `${out}.safetensors`], 'rank=1'],
    [['inspect', at('w.holo')], 'fragments=1'],
    [['inspect', at('w.safetensors')], 'tensors=0'],
    [['inspect', at('w/')], 'manifestBytes=20'],
    [['verify', at('w.hct')], 'headerBytes=8'],
    [['verify', at('w.holo')], 'tensorBytes=11999'],
    [['verify', at('w.holo.safetensors')], 'tensorBytes=11999'],
    [['verify', at('w/')], 'tensors=0'],
    [['quality', at('w.holo')], 'tensorBytes=100'],
    [['quality', at('w.holo.safetensors')], 'tensors=0'],
  ];
  const results = await Promise.all(cases.map(([args, limit]) => runCli([...args, '--limit', limit])));
  for (const [i, result] of results.entries()) {
    const [name, most] = cases[i]![1].split('=');
    failed(result, 1, new RegExp(`option limits\\.${name}\\).*: expected at most ${most}\\b`));
  }
  // HCT in a pipe.
  const piped = await runCli(['decode', '-', '-o', `${out}.npy`, '--limit', 'rank=1'], {
    input: readFileSync(at('w.hct')),
  });
  failed(piped, 1, /option limits\.rank\)/);
});

test('a limit can be raised, and several given', async () => {
  failed(await runCli(['inspect', at('deep.safetensors')]), 1, /option limits\.rank\)/);
  const limits = ['--limit', 'rank=65', '--limit', 'tensors=1e3', '--limit', 'ratio=Infinity'];
  assert.match(ok(await runCli(['inspect', at('deep.safetensors'), ...limits])).toString(), /^deep /m);
});

test('limits that do not exist are errors of the command line', async () => {
  for (const [limit, message] of [
    ['bytes=3', /"?tensorBytes/],
    ['ratio', /a name, = and a number/],
    ['ratio=much', /limits\.ratio/],
    ['concurrency=0', /a number from 1/],
  ] as const) {
    failed(await runCli(['verify', at('w.hct'), '--limit', limit]), 2, message);
  }
});

test.run();
