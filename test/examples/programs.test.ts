import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serveFolder } from '../../cli/serve/folderServer.js';
import { compiled, ok, resultOf, runCli, temporaryFolder } from '../helpers/cli.js';

const test = suite('examples/programs');
const root = fileURLToPath(new URL('../..', import.meta.url));
const digits = join(root, 'examples/digits/digits.safetensors');
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

const names = readdirSync(join(root, 'examples/programs'));
const programs = compiled(...names.map((name) => join(root, 'examples/programs', name)));

const program = (name: string) => programs[names.indexOf(`${name}.ts`)]!;

async function run(name: string, ...args: readonly string[]): Promise<string> {
  return ok(await resultOf(spawn(process.execPath, [program(name), ...args]))).toString();
}

test('each runs, and does what it says', async () => {
  ok(await runCli(['encode', digits, '--tensor', 'fc1.weight', '-o', at('w.hct')]));
  const made = await run('encode-model', digits, at('m.holo.safetensors'));
  assert.match(made, /100 %\n\d+ -> \d+ bytes, 3 of 4 tensors in fragments\n$/);
  await using server = await serveFolder(folder, { host: '127.0.0.1', port: 0 });
  await run('node-pipeline', `${server.url}w.hct`, at('w.raw'));
  assert.is(readFileSync(at('w.raw')).length, 4 * 192 * 784);
  assert.match(await run('fetch-to-array', `${server.url}w.hct`), /^F32 192×784 first element -?[\d.e-]+\n$/);
  assert.is(await run('random-access', at('w.hct'), '10', '14'), '4×784 3136\n');
  assert.match(
    await run('rx-progressive', `${server.url}m.holo.safetensors`),
    /at least 0\.[5-9]\n.*at least 1\.0\n$/s,
  );
});

test('a server gives the plain file of a model file: whole, in part, at a quality', async () => {
  ok(await runCli(['encode', digits, '-o', at('served.holo.safetensors')]));
  const child = spawn(process.execPath, [program('plain-server'), at('served.holo.safetensors'), '0']);
  try {
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    const url = `http://127.0.0.1:${/port: (\d+)/.exec(said.toString())![1]}/`;
    const original = readFileSync(digits);
    const whole = await fetch(url);
    assert.ok(Buffer.from(await whole.arrayBuffer()).equals(original));
    const part = await fetch(url, { headers: { range: 'bytes=100-199' } });
    assert.is(part.status, 206);
    assert.ok(Buffer.from(await part.arrayBuffer()).equals(original.subarray(100, 200)));
    const rough = await fetch(`${url}?quality=0.9`);
    assert.is(rough.headers.get('cache-control'), 'no-store');
    const bytes = Buffer.from(await rough.arrayBuffer());
    assert.ok(bytes.length === original.length && !bytes.equals(original));
    assert.is((await fetch(url, { method: 'HEAD' })).headers.get('content-length'), String(original.length));
    assert.is((await fetch(`${url}?quality=2`)).status, 400);
  } finally {
    child.kill();
  }
});

test('all of them are listed, and tried above', () => {
  const readme = readFileSync(join(root, 'examples/README.md'), 'utf8');
  const own = readFileSync(join(root, 'test/examples/programs.test.ts'), 'utf8');
  for (const file of names) {
    assert.match(readme, `programs/${file}`);
    assert.match(own, `'${file.replace('.ts', '')}'`);
  }
});

test.run();
