import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryPath } from '../../sinks/leftovers.js';
import { cliPath, temporaryFolder } from '../helpers/cli.js';
import { chosen } from './helpers/chosen.js';
import { COMMANDS, makeInputs, Scene } from './helpers/commands.js';
import { disowned } from './helpers/fileJobs.js';

const test = suite('pipes whose reader ends early');

const folder = temporaryFolder();
const inputs = await makeInputs(2, [700, 600]);
const input = (name: string) => inputs.pathOf('new', name);

const WRITERS: readonly (readonly string[])[] = [
  ['decode', input('tensor.hct'), '-o', '-'],
  ['decode', input('tensor.holo'), '-o', '-'],
  ['decode', input('model'), '-o', '-'],
  ['decode', input('model.holo.safetensors'), '-o', '-'],
  ['encode', input('tensor.safetensors'), '-o', '-'],
  ['inspect', input('model.holo.safetensors')],
  ['inspect', input('model.holo.safetensors'), '--json'],
  ['quality', input('tensor.holo')],
  ['verify', input('model')],
];

/** Runs a command whose reader closes the pipe after some bytes. */
async function readUpTo(args: readonly string[], bytes: number, pipe: 'stdout' | 'stderr') {
  const child = spawn(process.execPath, [cliPath(), ...args], {
    cwd: inputs.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let read = 0;
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  if (bytes === 0) child[pipe].destroy();
  child[pipe].on('data', (chunk: Buffer) => {
    read += chunk.length;
    if (read >= bytes) child[pipe].destroy();
  });
  child.stdout.resume();
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('exit', (...ended) => resolve(ended));
  });
  return { code, signal, said };
}

for (const args of WRITERS) {
  for (const bytes of chosen([0, 1, 100, 65_536, 200_000, 1_000_000])) {
    test(`${args.slice(0, 1)} ${args.at(-1)}: ${bytes} bytes are read`, async () => {
      assert.equal(await readUpTo(args, bytes, 'stdout'), { code: 0, signal: null, said: '' });
    });
  }
}

for (const command of chosen(COMMANDS)) {
  test(`${command.name}: nobody reads what it says on stderr`, async () => {
    const scene = await Scene.open(command, inputs, join(folder, command.name));
    scene.reset();
    // It has something to say.
    const left = disowned(temporaryPath(scene.target.path.replace(/\/$/, ''), 'partial'));
    const file = disowned(temporaryPath(scene.target.path, 'tmp'));
    writeFileSync(command.target.endsWith('/') ? left : file, '');
    const args = [command.verb, inputs.pathOf('new', command.input), '-o', scene.target.path, '--force'];
    const { code, signal } = await readUpTo([...args, ...(command.options ?? [])], 0, 'stderr');
    assert.equal([code, signal], [0, null]);
    assert.is(scene.target.version(), 'new');
    assert.equal(scene.target.leftovers(), []);
  });
}

test('an input that ends early, or never comes', async () => {
  const whole = readFileSync(input('tensor.hct'));
  for (const bytes of [0, 3, 100, whole.length - 1]) {
    const child = spawn(process.execPath, [cliPath(), 'decode', '-', '-o', join(folder, 'out.raw')]);
    child.stdin.end(whole.subarray(0, bytes));
    const code = await new Promise((resolve) => child.on('exit', resolve));
    assert.is(code, 1, `${bytes} bytes`);
  }
});

test.run();
