import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failed, ok, runCli, runCliProcess, temporaryFolder } from '../helpers/cli.js';
import { modelOf } from '../helpers/models.js';

const test = suite('command line: usage');
const folder = temporaryFolder();
const model = join(folder, 'model.safetensors');
writeFileSync(model, modelOf([{ name: 'w', dtype: 'F32', shape: [3] }]));

test('help and version go to standard output, exit code 0', async () => {
  const [help, version, ofCommand] = await Promise.all([
    runCliProcess(['--help']),
    runCliProcess(['--version']),
    runCliProcess(['encode', '--help']),
  ]);
  assert.match(ok(help!).toString(), /inspect.*verify.*encode.*decode/s);
  const { version: expected } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  assert.is(ok(version!).toString(), `${expected}\n`);
  assert.match(ok(ofCommand!).toString(), /--block-size <bytes>/);
});

test('the command help is help as it was asked for; of what is no command, it is not', async () => {
  const [all, ofCommand, below, ofNone] = await Promise.all(
    [['help'], ['help', 'encode'], ['bulk', 'help', 'run'], ['help', 'frobnicate']].map((args) =>
      runCliProcess(args),
    ),
  );
  assert.match(ok(all!).toString(), /inspect.*verify.*encode.*decode/s);
  assert.match(ok(ofCommand!).toString(), /--block-size <bytes>/);
  assert.match(ok(below!).toString(), /Usage: holostream bulk run/);
  assert.is(ofNone!.code, 2);
});

test('a command line that makes no sense: exit code 2 and one line', async () => {
  const cases: [string[], RegExp][] = [
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['inspect'], /missing required argument 'file'/],
    [['quality', 'a', 'b'], /too many arguments/],
    [['decode', 'a', 'b', '-o', 'c'], /too many arguments/],
    [['encode', model, model, '-o', 'x.hct', '--dtype', 'F32', '--shape', '3'], /Raw bytes are in one file/],
    [['inspect', model, '--frob'], /unknown option '--frob'/],
    [['encode', model], /required option '-o, --output <out>'/],
    [['encode', model, '-o', 'x.zip'], /Cannot tell the format of "x\.zip"/],
    [['encode', model, '-o', 'x.hct', '--algorithm', 'gzip'], /Allowed choices are lz4, zstd/],
    [['encode', model, '-o', 'x.hct', '--hct-version', '3'], /Allowed choices are 1, 2/],
    [['encode', model, '-o', 'x.hct', '--block-size', '0'], /at least 1/],
    [['encode', model, '-o', 'x.hct', '--block-size', '4k'], /whole number/],
    [['encode', model, '-o', 'x.hct', '--level', '20', '--algorithm', 'zstd'], /from 1 to 19/],
    [
      ['encode', model, '-o', 'x.hct', '--level', '3', '--algorithm', 'lz4'],
      /--level is for --algorithm zstd/,
    ],
    [['encode', model, '-o', 'x.hct', '--dtype', 'F31', '--shape', '3'], /Allowed choices are F32, F16/],
    [['encode', model, '-o', 'x.hct', '--dtype', 'F32'], /both --dtype and --shape/],
    [['encode', model, '-o', 'x.hct', '--dtype', 'F32', '--shape', '3,-1'], /whole number/],
    [['encode', model, '-o', 'x.hct', '--dtype', 'F32', '--shape', '3', '--tensor', 'w'], /--tensor is for/],
    [
      ['encode', model, '-o', `${folder}/m/`, '--tensor', 'w'],
      /--tensor does not apply to a model directory/,
    ],
    [['decode', model, '-o', 'x.npy'], /is a safetensors file: it needs no decoding/],
    [['decode', '-', '-o', 'x.zip'], /Cannot tell the format of "x\.zip"/],
    [['decode', folder, '-o', 'x.npy'], /is a safetensors file: it needs no decoding/],
    [['quality', model], /holds no fragments; `holostream encode` makes a model file/],
  ];
  const results = await Promise.all(cases.map(([args]) => runCli(args)));
  for (const [i, result] of results.entries()) failed(result, 2, cases[i]![1]);
  failed(await runCliProcess(cases[0]![0]), 2, cases[0]![1]);
});

test('without a command: help on stderr, exit code 2', async () => {
  const { code, stdout, stderr } = await runCliProcess([]);
  assert.is(code, 2);
  assert.is(stdout.length, 0);
  assert.match(stderr, /Usage: holostream/);
});

test.run();
