import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { facts, plot, table } from '../../cli/report.js';
import { cliPath, ok, runCli, temporaryFolder } from '../helpers/cli.js';

const test = suite('command line: terminal');
const folder = temporaryFolder();

test('a progress bar on a terminal, taken away at the end; nothing in a pipe', async () => {
  const raw = join(folder, 'w.raw');
  writeFileSync(raw, new Uint8Array(100_000));
  const args = ['encode', raw, '--dtype', 'I8', '--shape', '100000', '-o', join(folder, 'w.hct')];
  // A pipe that claims to be a terminal; test/oracles uses a real one.
  const pretence = 'data:text/javascript,Object.assign(process.stderr, { isTTY: true, columns: 80 })';
  const command = ['--import', pretence, cliPath, ...args];
  const { stderr, status } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  assert.is(status, 0);
  assert.match(stderr, /encoding =+ 100 % of 97\.66 KiB/);
  assert.ok(stderr.endsWith('\u001b[2K'), 'the line is cleared');
  assert.is(ok(await runCli(args)).length, 0);
});

test('the chart is a flight of steps', () => {
  const [name, ...rows] = plot(
    [
      { x: 50, y: 0.5 },
      { x: 100, y: 1 },
    ],
    'cosine',
    'bytes',
  );
  assert.is(name, 'cosine');
  assert.is(rows[0], `1.0 │${' '.repeat(59)}█`, 'the top is reached with the last byte');
  assert.is(rows[7], `    │${' '.repeat(29)}${'█'.repeat(31)}`, 'the first step is half way');
  assert.is(rows[9], `     0${'100 bytes'.padStart(59)}`);
  for (const odd of [[], [{ x: 0, y: 1 }], [{ x: 5, y: Number.NaN }], [{ x: 5, y: 7 }]]) {
    assert.is(plot(odd, 'y', 'x').length, 11);
  }
});

test('columns line up, and control characters do not reach the terminal', () => {
  assert.equal(
    table(
      ['a', 'bb'],
      [
        ['ccc', 'd'],
        ['e', ''],
      ],
    ),
    ['a    bb', 'ccc  d', 'e'],
  );
  assert.equal(facts({ one: 1, none: undefined, 'two\u001b': 'x\ny' }), ['one   1', 'two\ufffd  x\ufffdy']);
});

test('one long name, or very many rows, do not make the others wide', () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => [i === 7 ? 'x'.repeat(2 ** 20) : `t${i}`, 'y']);
  const lines = table(['name', 'b'], rows);
  assert.is(lines[1], 't0       y');
  assert.is(lines[200_000], 't199999  y');
  assert.is(lines[8], `${'x'.repeat(2 ** 20)}  y`);
});

test.run();
