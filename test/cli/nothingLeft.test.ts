import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failed, runCli, temporaryFolder } from '../helpers/cli.js';
import { modelOf } from '../helpers/models.js';
import { pseudoRandomBytes } from '../helpers/random.js';

const test = suite('command line: what fails leaves nothing');
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const onnx = fileURLToPath(new URL('../fixtures/inputs/onnx/typed.onnx', import.meta.url));
copyFileSync(onnx, at('good.onnx'));
writeFileSync(at('bad.onnx'), 'not ONNX at all');
writeFileSync(at('m.safetensors'), modelOf([{ name: 'w', dtype: 'F32', shape: [30, 40] }]));
const RANDOM = pseudoRandomBytes(5000, 17);
writeFileSync(at('random.safetensors'), RANDOM);
const before = readdirSync(folder).sort();

test('encode and bulk run: no folder stays that was made for nothing', async () => {
  const commands = [
    ['encode', at('good.onnx'), '-o', at('new/'), '--keep', 'nothing'],
    ['encode', at('bad.onnx'), '-o', at('new/')],
    ['encode', at('absent.onnx'), '-o', at('new/')],
    ['encode', at('m.safetensors'), '-o', at('new.holo.safetensors'), '--keep', 'nothing'],
    ['encode', at('random.safetensors'), '-o', at('new/')],
    ['encode', at('random.safetensors'), '-o', at('new.holo.safetensors')],
    ['decode', at('random.safetensors'), '-o', at('new/')],
    ['bulk', 'run', at('absent'), '--to', at('new'), '--workers=0'],
    ['bulk', 'run', at('random.safetensors'), '--to', at('new/deep'), '--workers=0'],
  ];
  for (const command of commands) {
    assert.ok((await runCli(command)).code! > 0, command.join(' '));
    assert.equal(readdirSync(folder).sort(), before, command.join(' '));
  }
});

test('a folder that was there stays, and what is in it', async () => {
  mkdirSync(at('there'));
  failed(await runCli(['encode', at('good.onnx'), '-o', at('there'), '--keep', 'nothing']), 2, /--keep/);
  assert.equal(readdirSync(at('there')), []);
});

test('bytes of no format: every command says how they begin, and in which file', async () => {
  const path = at('random.safetensors');
  const begin = Array.from(RANDOM.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const commands = [
    ['inspect', path],
    ['verify', path],
    ['quality', path],
    ['plan', path],
    ['bench', path],
    ['encode', path, '-o', at('x.holo.safetensors')],
    ['encode', path, '-o', at('x.hct')],
    ['encode', path, '-o', at('x/')],
    ['decode', path, '-o', at('x.npy')],
  ];
  for (const command of commands) {
    const result = await runCli(command);
    failed(result, 1, new RegExp(`random\\.safetensors\\).*a file that begins with the bytes ${begin}`));
    assert.not.match(result.stderr, 'limits', command.join(' '));
  }
});

test.run();
