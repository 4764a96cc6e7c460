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

/** What a command writes to a terminal of this width, and its exit code. */
function onTerminal(args: readonly string[], env: Record<string, string> = {}, columns = 80) {
  const command = `stty cols ${columns}; exec ${[process.execPath, cliPath(), ...args].map((word) => `'${word}'`).join(' ')}`;
  const { FORCE_COLOR: _, ...plain } = process.env;
  const options = { encoding: 'utf8', env: { ...plain, TERM: 'xterm-256color', ...env } } as const;
  return spawnSync('script', ['-qec', command, '/dev/null'], options);
}

test('no colours, with NO_COLOR and without: in summaries, tables, help, errors', () => {
  const folder = temporaryFolder();
  const raw = join(folder, 'w.raw');
  writeFileSync(raw, new Uint8Array(100_000));
  const hct = join(folder, 'w.hct');
  const commands = [
    ['encode', raw, '--dtype', 'I8', '--shape', '100000', '-o', hct, '--force'],
    ['inspect', hct],
    ['verify', hct],
    ['encode', '--help'],
    ['inspect', join(folder, 'absent')],
    ['decode', hct, '-o', '-'],
  ];
  for (const args of commands) {
    for (const env of [{}, { NO_COLOR: '1' }]) {
      const { stdout } = onTerminal(args, env);
      assert.ok(stdout.length > 0);
      // But for the line of progress, which is cleared.
      assert.not.ok(stdout.replaceAll('\u001b[2K', '').includes('\u001b'), args.join(' '));
    }
  }
});

test('progress fits into 44 columns, and bytes are not written to the terminal', () => {
  const folder = temporaryFolder();
  const raw = join(folder, 'w.raw');
  writeFileSync(raw, new Uint8Array(3_000_000));
  const args = ['encode', raw, '--dtype', 'I8', '--shape', '3000000', '-o'];
  const { stdout, status } = onTerminal([...args, join(folder, 'w.hct')], {}, 44);
  assert.is(status, 0);
  const drawn = stdout.split('\u001b[2K').slice(1, -1);
  assert.ok(drawn.length > 0);
  for (const line of drawn) assert.ok(line.trimEnd().length < 44, line);
  const bytes = onTerminal([...args, '-']);
  assert.is(bytes.status, 2);
  assert.match(bytes.stdout, /Bytes are not for a terminal/);
});

test.run();
