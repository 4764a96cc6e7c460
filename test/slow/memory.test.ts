import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('memory');
/** What a program prints that is given a folder and a size in bytes. */
async function run(program: string, size: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holostream-'));
  try {
    // Bundled, because a TypeScript loader would be most of the memory measured.
    const outfile = join(folder, 'program.mjs');
    await build({
      entryPoints: [fileURLToPath(new URL(`../helpers/${program}`, import.meta.url))],
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      outfile,
    });
    const { stdout } = await promisify(execFile)(process.execPath, [outfile, folder, String(size)]);
    return stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a tensor of 2 GiB goes file to file, there and back, in less than 200 MB', async () => {
  const peak = Number(await run('largeTensor.ts', 2 ** 31));
  assert.ok(peak > 0 && peak < 200e6, `peak memory ${peak} bytes`);
});

test('an ONNX file of 1 GiB becomes a model file, and that its weights, in less than 300 MB', async () => {
  const { peak, same, tensors } = JSON.parse(await run('largeOnnx.ts', 2 ** 30));
  assert.is(tensors, 64);
  assert.ok(same);
  assert.ok(peak > 0 && peak < 300e6, `peak memory ${peak} bytes`);
});

test.run();
