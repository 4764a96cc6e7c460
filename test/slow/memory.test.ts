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
const program = fileURLToPath(new URL('../helpers/largeTensor.ts', import.meta.url));

test('a tensor of 2 GiB goes file to file, there and back, in less than 200 MB', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holostream-'));
  try {
    // Bundled, because a TypeScript loader would be most of the memory measured.
    const outfile = join(folder, 'program.mjs');
    await build({
      entryPoints: [program],
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      outfile,
    });
    const { stdout } = await promisify(execFile)(process.execPath, [outfile, folder, String(2 ** 31)]);
    const peak = Number(stdout);
    assert.ok(peak > 0 && peak < 200e6, `peak memory ${peak} bytes`);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.run();
