import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cliPath, temporaryFolder } from '../helpers/cli.js';

const test = suite('a terminal');

test('a progress bar on it, taken away at the end', () => {
  const folder = temporaryFolder();
  const raw = join(folder, 'w.raw');
  writeFileSync(raw, new Uint8Array(100_000));
  const args = ['encode', raw, '--dtype', 'I8', '--shape', '100000', '-o', join(folder, 'w.hct')];
  // util-linux's script runs the command on a terminal of its own.
  const command = [process.execPath, cliPath(), ...args].join(' ');
  const run = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8' });
  if (run.error !== undefined) throw new Error('the command script is missing', { cause: run.error });
  assert.is(run.status, 0);
  const lines = run.stdout.split('\u001b[2K');
  assert.ok(lines.some((line) => /^encoding =+ 100 % of 97\.66 KiB/.test(line)));
  assert.match(
    lines.at(-1)!,
    /w\.hct: 1 tensor, [^=]*\n$/,
    'the line is cleared, and the summary in its place',
  );
});

test.run();
