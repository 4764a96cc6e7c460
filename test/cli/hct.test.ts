import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryPath } from '../../sinks/leftovers.js';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { failed, ok, runCli, startCli, temporaryFolder } from '../helpers/cli.js';
import { manifest, readReference, referencePath } from '../helpers/fixtures.js';
import { modelOf } from '../helpers/models.js';
import { pseudoRandomBytes } from '../helpers/random.js';

interface HctFixture {
  readonly file: string;
  readonly expected: string;
  readonly version: number;
  readonly algorithm: string;
  readonly dtype: string;
  readonly shape: number[];
  readonly blockSize: number;
}

const test = suite('command line: HCT');
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

const weights = pseudoRandomBytes(4 * 64 * 48);
writeFileSync(at('weights.raw'), weights);
const RAW = ['--dtype', 'F32', '--shape', '64,48'];

test('raw to HCT and back, through files and through pipes', async () => {
  ok(await runCli(['encode', at('weights.raw'), ...RAW, '-o', at('w.hct')]));
  ok(await runCli(['decode', at('w.hct'), '-o', at('w.raw')]));
  assert.equal(readFileSync(at('w.raw')), Buffer.from(weights));
  const encoded = ok(await runCli(['encode', '-', ...RAW, '-o', '-'], { input: weights }));
  assert.equal(encoded, readFileSync(at('w.hct')));
  assert.equal(ok(await runCli(['decode', '-', '-o', '-'], { input: encoded })), Buffer.from(weights));
});

test('what was asked for is in the file', async () => {
  const args = ['--algorithm', 'zstd', '--level', '1', '--block-size', '1000', '--no-block-checksums'];
  ok(await runCli(['encode', at('weights.raw'), ...RAW, '-o', at('z.hct'), ...args]));
  const shown = JSON.parse(ok(await runCli(['inspect', at('z.hct'), '--json'])).toString());
  const { version, algorithm, blockSize, blockCount, blockChecksums, headerChecksum, dtype, shape } = shown;
  assert.equal(
    { version, algorithm, blockSize, blockCount, blockChecksums, headerChecksum, dtype, shape },
    {
      ...{ version: 2, algorithm: 'zstd', blockSize: 1000, blockCount: 13, blockChecksums: false },
      ...{ headerChecksum: true, dtype: 'F32', shape: [64, 48] },
    },
  );
  ok(await runCli(['encode', at('weights.raw'), ...RAW, '-o', at('v1.hct'), '--hct-version', '1']));
  assert.is(JSON.parse(ok(await runCli(['inspect', at('v1.hct'), '--json'])).toString()).version, 1);
});

test('the reference files: inspected, verified, decoded', async () => {
  const files = manifest<HctFixture[]>('hct');
  for (const { file, expected, version, algorithm, dtype, shape, blockSize } of [files[5]!, files[7]!]) {
    const path = referencePath(file);
    const [shown, verified, decoded] = await Promise.all([
      runCli(['inspect', path, '--json']),
      runCli(['verify', path]),
      runCli(['decode', path, '-o', '-']),
    ]);
    const { format, ...header } = JSON.parse(ok(shown).toString());
    assert.is(format, 'hct');
    for (const [key, value] of Object.entries({ version, algorithm, dtype, shape, blockSize })) {
      assert.equal(header[key], value, key);
    }
    assert.match(
      ok(verified).toString(),
      /^ok: (1 block|(?!1 )\d+ blocks) of \d+ bytes decoded, (1 checksum|\d+ checksums) verified\n$/,
    );
    assert.equal(ok(decoded), Buffer.from(readReference(expected)));
  }
});

test('quantization is shown', async () => {
  const [groups, whole] = await Promise.all(
    ['v2-lz4-i4-2d', 'v2-zstd-i8-2d'].map((name) => runCli(['inspect', referencePath(`hct/${name}.hct`)])),
  );
  assert.match(ok(groups!).toString(), /^quantization +gptq-int4, groups of 128$/m);
  assert.match(ok(whole!).toString(), /^quantization +symmetric-int8, one scale$/m);
});

test('one tensor of a safetensors file, and out as .npy and .safetensors', async () => {
  const model = modelOf([
    { name: 'a', dtype: 'F32', shape: [5] },
    { name: 'layer/b', dtype: 'BF16', shape: [40, 3] },
    { name: 'ids', dtype: 'I64', shape: [2] },
  ]);
  writeFileSync(at('model.safetensors'), model);
  const input = at('model.safetensors');
  ok(await runCli(['encode', input, '--tensor', 'layer/b', '-o', at('b.hct')]));
  const [text, ...outcomes] = await Promise.all([
    runCli(['inspect', at('b.hct')]),
    runCli(['decode', at('b.hct'), '-o', at('b.npy')]),
    runCli(['decode', at('b.hct'), '-o', at('b.safetensors')]),
  ]);
  for (const outcome of outcomes) ok(outcome);
  assert.match(ok(text!).toString(), /name +layer\/b\ntensor +BF16 \[40, 3\]/);
  const { tensors } = parseSafetensorsHeader(model);
  const bytes = model.subarray(tensors[1]!.offset, tensors[1]!.offset + 240);
  const written = readFileSync(at('b.safetensors'));
  const [tensor] = parseSafetensorsHeader(written, { fileSize: written.length }).tensors;
  assert.equal([tensor?.name, tensor?.dtype, tensor?.shape], ['layer/b', 'BF16', [40, 3]]);
  assert.equal(written.subarray(tensor?.offset), Buffer.from(bytes));
  const npy = readFileSync(at('b.npy'));
  assert.match(npy.toString('latin1'), /^\x93NUMPY.*'descr': '<f4', .*'shape': \(40, 3\)/s);
  // bfloat16 is the upper half of a float32.
  const widened = Buffer.alloc(480);
  for (let i = 0; i < 120; i++) widened.set(bytes.subarray(2 * i, 2 * i + 2), 4 * i + 2);
  assert.equal(npy.subarray(-480), widened);
  const [unknown, missing, ambiguous] = await Promise.all([
    runCli(['encode', input, '--tensor', 'ids', '-o', at('x.hct')]),
    runCli(['encode', input, '--tensor', 'c', '-o', at('x.hct')]),
    runCli(['encode', input, '-o', at('x.hct')]),
  ]);
  failed(unknown!, 1, /no such dtype \(ids\)/);
  failed(missing!, 2, /No tensor has the name "c": it has "a", "layer\/b", "ids"/);
  failed(ambiguous!, 2, /3 tensors: choose one by --tensor/);
});

test('bad data: exit code 1, one line, and what was there before stays', async () => {
  ok(await runCli(['encode', at('weights.raw'), ...RAW, '-o', at('good.hct')]));
  const good = readFileSync(at('good.hct'));
  const flipped = Buffer.from(good);
  flipped[5000]! ^= 1;
  writeFileSync(at('flipped.hct'), flipped);
  writeFileSync(at('short.hct'), good.subarray(0, good.length - 1));
  writeFileSync(at('text'), 'some text');
  writeFileSync(at('empty'), '');
  writeFileSync(at('kept.raw'), 'kept');
  writeFileSync(at('kept.hct'), 'kept');
  const cases: [string[], RegExp, Uint8Array?][] = [
    [
      ['decode', at('flipped.hct'), '-o', at('kept.raw')],
      /Cannot use the HCT block: wrong checksum \([^ ]+, block 0/,
    ],
    [['verify', at('flipped.hct')], /checksum/],
    [['decode', at('short.hct'), '-o', at('kept.raw')], /shorter/],
    [
      ['decode', '-', '-o', at('kept.raw')],
      /Cannot read the HCT file: it ends within its blocks/,
      good.subarray(0, good.length - 1),
    ],
    [
      ['decode', '-', '-o', at('kept.raw')],
      /Cannot read the HCT file: it ends within its header/,
      new Uint8Array(0),
    ],
    [['verify', at('short.hct')], /shorter/],
    [['inspect', at('short.hct')], /shorter/],
    [['inspect', at('text')], /neither HCT, HoloTensor nor safetensors/],
    [['inspect', at('empty')], /neither HCT, HoloTensor nor safetensors/],
    [['inspect', at('absent')], /Cannot open file: it does not exist \(.*absent\)$/m],
    [
      ['encode', at('weights.raw'), '--dtype', 'F32', '--shape', '64,47', '-o', at('kept.hct')],
      /size of F32\[64, 47\]/,
    ],
    [
      ['encode', '-', '--dtype', 'F32', '--shape', '4', '-o', at('kept.hct')],
      /fewer bytes/,
      new Uint8Array(15),
    ],
    [['encode', at('text'), '-o', at('kept.hct')], /safetensors/],
    [['decode', at('good.hct'), '-o', at('no/such/folder.raw')], /Cannot create the file/],
  ];
  const results = await Promise.all(cases.map(([args, , input]) => runCli(args, { input })));
  for (const [i, result] of results.entries()) failed(result, 1, cases[i]![1]);
  assert.is(readFileSync(at('kept.raw'), 'utf8'), 'kept');
  assert.is(readFileSync(at('kept.hct'), 'utf8'), 'kept');
});

test('--verbose shows the stack', async () => {
  const { code, stderr } = await runCli(['inspect', at('text'), '--verbose']);
  assert.is(code, 1);
  assert.match(stderr, /^holostream: [^\n]+\nFormatError: .*\n +at /s);
});

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGHUP', 129],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} takes away the half-written file`, () => interrupt(signal, expected));
}

async function interrupt(signal: NodeJS.Signals, expected: number): Promise<void> {
  const before = readdirSync(folder).sort();
  const child = startCli(['encode', '-', '--dtype', 'I8', '--shape', '1000000', '-o', at('never.hct')]);
  child.stdin.write(pseudoRandomBytes(600_000));
  while (readdirSync(folder).length === before.length) await new Promise((next) => setTimeout(next, 20));
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  child.kill(signal);
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.is(code, expected);
  assert.is(stderr, `holostream: interrupted by ${signal}\n`);
  assert.equal(readdirSync(folder).sort(), before);
}

test('options that no file can have leave nothing behind', async () => {
  writeFileSync(at('few.raw'), new Uint8Array(100));
  const before = readdirSync(folder).sort();
  const args = ['encode', at('few.raw'), '--dtype', 'I8', '--shape', '100', '-o', at('never.hct')];
  failed(await runCli([...args, '--block-size', '5000000000']), 2, /block/);
  assert.equal(readdirSync(folder).sort(), before);
});

test('what is said to nobody stops no work', async () => {
  const dead = temporaryPath(at('quiet.hct'), 'tmp').replace(/-\d+-[0-9a-f]{8}-/, '-999999999-00000001-');
  writeFileSync(dead, '');
  const child = startCli(['encode', at('few.raw'), '--dtype', 'I8', '--shape', '100', '-o', at('quiet.hct')]);
  child.stderr.destroy();
  assert.is(await new Promise((resolve) => child.on('exit', resolve)), 0);
  assert.not(existsSync(dead));
  ok(await runCli(['verify', at('quiet.hct')]));
});

test('a reader that goes away is no error', async () => {
  writeFileSync(at('big.raw'), pseudoRandomBytes(4_000_000));
  ok(await runCli(['encode', at('big.raw'), '--dtype', 'I8', '--shape', '4000000', '-o', at('big.hct')]));
  const reader = startCli(['decode', at('big.hct'), '-o', '-']);
  let stderr = '';
  reader.stderr.on('data', (text) => (stderr += text));
  reader.stdout.once('data', () => reader.stdout.destroy());
  const code = await new Promise((resolve) => reader.on('exit', resolve));
  assert.is(stderr, '');
  assert.is(code, 0);
});

test.run();
