import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cliPath, temporaryFolder } from '../helpers/cli.js';

const test = suite('command line: without permission');

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);

/** What everybody may do on Linux; root may do everything, so the command runs as nobody there. */
const NOBODY = 65534;
const asUser = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

test.before(() => {
  for (const path of [folder, join(dirname(cliPath()), '../..')]) chmodSync(path, 0o755);
  writeFileSync(at('w.raw'), new Uint8Array(100));
});

function encode(output: string): { status: number | null; stderr: string } {
  const args = [cliPath(), 'encode', at('w.raw'), '--dtype', 'I8', '--shape', '100', '-o', output, '--force'];
  return spawnSync(process.execPath, args, { encoding: 'utf8', ...asUser });
}

test('a folder that may not be written to', () => {
  mkdirSync(at('locked'), { mode: 0o555 });
  const { status, stderr } = encode(at('locked', 'w.hct'));
  assert.is(status, 1);
  assert.match(
    stderr,
    /^holostream: Cannot create the file: this user has no permission \([^\n]*w\.hct\)\n$/,
  );
  assert.equal(readdirSync(at('locked')), []);
});

test('a file that is read-only is not replaced, though its folder may be written to', () => {
  mkdirSync(at('open'));
  chmodSync(at('open'), 0o777);
  writeFileSync(at('open', 'w.hct'), 'precious', { mode: 0o444 });
  const { status, stderr } = encode(at('open', 'w.hct'));
  assert.is(status, 1);
  assert.match(stderr, /^holostream: Cannot replace the file: it is read-only \([^\n]*w\.hct\)\n$/);
  assert.is(readFileSync(at('open', 'w.hct'), 'utf8'), 'precious');
  assert.equal(readdirSync(at('open')), ['w.hct']);
});

test('a file that may not be read, and one that is not there', () => {
  writeFileSync(at('secret.hct'), 'secret', { mode: 0o000 });
  const inspect = (path: string) =>
    spawnSync(process.execPath, [cliPath(), 'inspect', path], { encoding: 'utf8', ...asUser }).stderr;
  assert.match(inspect(at('secret.hct')), /^holostream: Cannot open file: this user has no permission \(/);
  assert.match(inspect(at('absent.hct')), /^holostream: Cannot open file: it does not exist \(/);
});

test.run();
