import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { facts, plot, table } from '../../cli/report.js';
import { cliPath, failed, ok, resultOf, runCli, temporaryFolder } from '../helpers/cli.js';
import { modelOf } from '../helpers/models.js';

const test = suite('command line: terminal');
const folder = temporaryFolder();

test('a progress bar on a terminal, taken away at the end; nothing in a pipe', async () => {
  const raw = join(folder, 'w.raw');
  writeFileSync(raw, new Uint8Array(100_000));
  const args = ['encode', raw, '--dtype', 'I8', '--shape', '100000', '-o', join(folder, 'w.hct')];
  // A pipe that claims to be a terminal; test/oracles uses a real one.
  const pretence = 'data:text/javascript,Object.assign(process.stderr, { isTTY: true, columns: 80 })';
  const command = ['--import', pretence, cliPath(), ...args, '--force'];
  const { stderr, status } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  assert.is(status, 0);
  assert.match(stderr, /encoding =+ 100 % of 97\.66 KiB/);
  assert.ok(stderr.endsWith('\u001b[2K'), 'the line is cleared');
  assert.match(
    ok(await runCli(args)).toString(),
    /^\P{C}+w\.hct: 1 tensor, 97\.66 KiB in \d+ B \P{C}+\/s\n$/u,
  );
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

/** Colours, titles of windows, a bell, steps back, other directions of text, and new lines, in all ways to say them. */
const HOSTILE =
  'x\u001b[31m\u001b]0;t\u0007\b\r\u007f\u009b2J\u202e\u2066\u200f\u061c\u00ad\u2028\u2029\nforged';

/** Asserts that nothing but text and our own line ends reach a terminal. */
function harmless(text: string, lines?: number): void {
  assert.not.match(text, /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u);
  assert.not.match(text, /^forged/m, 'a line of a name');
  if (lines !== undefined) assert.is(text.split('\n').length, lines + 1, text);
}

test('names, metadata, paths and texts of servers do not act on the terminal', async () => {
  const tensors = ['a', 'b'].map((name) => ({ name: name + HOSTILE, dtype: 'F32', shape: [600] }) as const);
  const bytes = modelOf(tensors, new Map([[HOSTILE, HOSTILE]]));
  const path = join(folder, `${HOSTILE}.safetensors`);
  writeFileSync(path, bytes);
  writeFileSync(`${path}.cut`, bytes.subarray(0, -4));
  const server = createServer((_, response) => response.writeHead(404, 'x\u009b31m').end()).listen(0);
  const { port } = server.address() as AddressInfo;
  const encoded = join(folder, HOSTILE);
  ok(await runCli(['encode', path, '-o', `${encoded}/`]));
  const results = await Promise.all(
    [
      ['verify', path],
      ['verify', encoded],
      ['verify', `${path}.cut`],
      ['inspect', `${path}.none`],
      ['inspect', `http://localhost:${port}/${HOSTILE}`],
      ['encode', path, '-o', HOSTILE],
      ['encode', path, '-o', 'x.hct', '--tensor', HOSTILE],
      ['decode', path, '-o', `${HOSTILE}.npy`],
      ['quality', path],
      ['encode', path, '-o', 'x.hct', '--dtype', HOSTILE],
      [HOSTILE],
      ['inspect', `--${HOSTILE}`, path],
    ].map((args) => runCli(args)),
  );
  server.close();
  for (const { stdout, stderr } of results) harmless(stdout.toString() + stderr, 1);
  const { stderr } = await runCli(['verify', `${path}.cut`, '--verbose']);
  assert.match(stderr, /\n +at /);
  harmless(stderr);
  for (const file of [path, encoded]) {
    harmless(ok(await runCli(['inspect', file])).toString());
    const json = ok(await runCli(['inspect', file, '--json'])).toString();
    harmless(json);
    const names = JSON.parse(json).tensors.map(({ name }: { name: string }) => name);
    assert.equal(
      names,
      ['a', 'b'].map((name) => name + HOSTILE),
    );
  }
});

test('a fault of ours that nothing catches does not act on the terminal either', async () => {
  const fault =
    'setInterval(() => { if (process.listenerCount("uncaughtException")) throw new Error("x\\u001b\\nforged") })';
  const imported = `data:text/javascript,${encodeURIComponent(fault)}`;
  // Its input does not end.
  const child = spawn(process.execPath, ['--import', imported, cliPath(), 'inspect', '-']);
  failed(await resultOf(child), 1, /unexpected: x\\u\{1b\} forged/);
});

test('bytes are not written to a terminal', () => {
  const raw = join(folder, 'bytes.raw');
  writeFileSync(raw, new Uint8Array(4));
  const pretence = 'data:text/javascript,Object.assign(process.stdout, { isTTY: true })';
  const command = [
    '--import',
    pretence,
    cliPath(),
    'encode',
    raw,
    '--dtype',
    'I8',
    '--shape',
    '4',
    '-o',
    '-',
  ];
  const { stdout, stderr, status } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  assert.equal([stdout, status], ['', 2]);
  assert.match(stderr, /Bytes are not for a terminal/);
});

test('nothing is written past the file that escapes', () => {
  const files = readdirSync('cli', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const writing = files.filter((name) =>
    /\b(std(out|err)|console)\b/.test(readFileSync(join('cli', name), 'utf8')),
  );
  assert.equal(writing, ['terminal.ts']);
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
  assert.equal(facts({ one: 1, none: undefined, 'two\u001b': 'x\ny' }), [
    'one        1',
    'two\\u{1b}  x\\ny',
  ]);
});

test('one long name, or very many rows, do not make the others wide', () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => [i === 7 ? 'x'.repeat(2 ** 20) : `t${i}`, 'y']);
  const lines = table(['name', 'b'], rows);
  assert.is(lines[1], 't0       y');
  assert.is(lines[200_000], 't199999  y');
  assert.is(lines[8], `${'x'.repeat(2 ** 20)}  y`);
});

test.run();
