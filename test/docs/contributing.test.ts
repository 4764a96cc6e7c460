import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../helpers/cli.js';
import { PRODUCT_FOLDERS } from '../helpers/product.js';

const test = suite('CONTRIBUTING');
const root = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');

/** The repository as the worked example leaves it. */
const copy = temporaryFolder();
const COPIED = ['package.json', 'tsconfig.json', 'index.ts', 'node.ts', 'formats.ts', ...PRODUCT_FOLDERS];
for (const name of COPIED) cpSync(join(root, name), join(copy, name), { recursive: true });
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

test('the lines of the worked example are those of the files', () => {
  const [, diff] = /^```diff\n(.*?)^```$/ms.exec(text)!;
  for (const [, file, changes] of diff!.matchAll(/^--- (\S+)\n((?:(?!---).*\n)+)/gm)) {
    const path = join(copy, file!);
    let code = readFileSync(path, 'utf8');
    // A hunk: lines that stay or go, then lines that come.
    for (const [hunk] of changes!.matchAll(/(?:^[- ].*\n)+(?:^\+.*\n)+/gm)) {
      const before = hunk.replace(/^\+.*\n/gm, '').replace(/^./gm, '');
      const after = hunk.replace(/^-.*\n/gm, '').replace(/^./gm, '');
      assert.is(code.split(before).length, 2, `${file} has once: ${before}`);
      code = code.replace(before, after);
    }
    writeFileSync(path, code);
  }
});

test('with its files, all compiles and its test passes', () => {
  const files = Array.from(text.matchAll(/^```ts (\S+)\n(.*?)^```$/gms));
  assert.is(files.length, 2);
  for (const [, file, code] of files) {
    mkdirSync(dirname(join(copy, file!)), { recursive: true });
    writeFileSync(join(copy, file!), code!);
  }
  const config = { extends: './tsconfig.json', include: ['*.ts', ...PRODUCT_FOLDERS, 'test'] };
  writeFileSync(join(copy, 'tsconfig.example.json'), JSON.stringify(config));
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8' });
    assert.is(status, 0, stdout + stderr);
    return stdout;
  };
  run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.example.json');
  assert.match(run('--import', import.meta.resolve('tsx'), files.at(-1)![1]!), /Passed: +\S*3\b/);
});

test('it names every test command', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const commands = Object.keys(scripts).filter((name) => name.startsWith('test:'));
  for (const command of commands) assert.ok(text.includes(`npm run ${command}`), command);
});

test.run();
