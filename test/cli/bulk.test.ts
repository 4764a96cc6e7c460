import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel } from '../../models/openModel.js';
import { failed, ok, runCli, temporaryFolder } from '../helpers/cli.js';
import { encodeToModelFile } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { DIGITS_PATH } from '../helpers/trained.js';

const test = suite('command line: bulk');
const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const alone = await encodeToModelFile({ 'digits.safetensors': readFileSync(DIGITS_PATH) });
/** Without threads, in the process of the test. */
const HERE = '--workers=0';

test('bulk run: a model in threads, then again: nothing is encoded', async () => {
  const run = async () => {
    const args = ['bulk', 'run', DIGITS_PATH, '--to', at('one'), '--workers', '2', '--json'];
    return JSON.parse(String(ok(await runCli(args))));
  };
  const output = 'digits.holo.safetensors';
  assert.equal(await run(), [{ output, fileSize: alone.length, encodedUnits: 1, foundUnits: 0 }]);
  assert.ok(readFileSync(at('one', output)).equals(alone));
  assert.equal(await run(), [{ output, fileSize: alone.length, encodedUnits: 0, foundUnits: 0 }]);
});

test('bulk run --shard: parts, then the join; --list and --output name models', async () => {
  const list = at('models.json');
  writeFileSync(list, JSON.stringify([{ sources: [DIGITS_PATH], output: 'hub/digits' }]));
  const run = (...options: string[]) =>
    runCli(['bulk', 'run', '--list', list, '--to', at('two'), ...options, HERE]);
  for (const shard of ['0/2', '1/2']) {
    ok(await run('--shard', shard));
    assert.not(existsSync(at('two', 'hub')));
  }
  assert.match(String(ok(await run('--shard', '1/2', '--join'))), /^Nothing to do/);
  ok(await run('--shard', '0/1', '--join'));
  assert.ok(readFileSync(at('two', 'hub', 'digits')).equals(alone));
  const options = ['--to', at('two'), '--output', 'mine.safetensors', '--keep', '*', HERE];
  ok(await runCli(['bulk', 'run', DIGITS_PATH, ...options]));
  const kept = await encodeToModelFile(
    { 'digits.safetensors': readFileSync(DIGITS_PATH) },
    { keep: () => true },
  );
  assert.ok(readFileSync(at('two', 'mine.safetensors')).equals(kept));
});

test('a model whose file has a common name is called as its folder', async () => {
  writeFileSync(at('model.safetensors'), modelOf([{ name: 'w', dtype: 'F32', shape: [3] }]));
  for (const source of [folder, '.', './', 'model.safetensors', `../${basename(folder)}`]) {
    const table = ok(await runCli(['bulk', 'run', source, '--to', at('named'), HERE], { cwd: folder }));
    assert.match(String(table), new RegExp(`^${basename(folder)}\\.holo\\.safetensors `, 'm'), source);
  }
});

test('models of other formats become what encode makes of them', async () => {
  const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/inputs/${name}`, import.meta.url));
  const onnx = fixture('onnx/external.onnx');
  ok(await runCli(['encode', onnx, '-o', at('encoded/')]));
  const pt = fixture('zip/checkpoint.pt');
  ok(await runCli(['encode', pt, '-o', at('encoded/checkpoint.holo.safetensors')]));
  mkdirSync(at('sharded'));
  const shards = ['checkpoint.pt', 'strided.pt'].map((name, i): [string, string] => [
    `pytorch_model-0000${i + 1}-of-00002.bin`,
    fixture(`zip/${name}`),
  ]);
  for (const [name, from] of shards) copyFileSync(from, at('sharded', name));
  const index = at('sharded', 'pytorch_model.bin.index.json');
  const models = await Promise.all(shards.map(([, from]) => openModel(from)));
  const names = models.flatMap(({ tensors }, i) => tensors.map(({ name }) => [name, shards[i]![0]]));
  const isNamed = ([name]: readonly (string | undefined)[]) => !name!.includes(':');
  writeFileSync(index, JSON.stringify({ weight_map: Object.fromEntries(names.filter(isNamed)) }));
  ok(await runCli(['encode', index, '-o', at('encoded/sharded.holo.safetensors')]));
  ok(await runCli(['bulk', 'run', onnx, pt, index, '--to', at('foreign'), HERE]));
  for (const [name, made] of [
    ['external.holo.safetensors', 'external/external.holo.safetensors'],
    ['external.onnx', 'external/external.onnx'],
    ['checkpoint.holo.safetensors', 'checkpoint.holo.safetensors'],
    ['sharded.holo.safetensors', 'pytorch_model.bin.holo.safetensors'],
  ] as const)
    assert.ok(readFileSync(at('foreign', made)).equals(readFileSync(at('encoded', name))), made);
});

test('what is wrong: usage is code 2, models are code 1 and say why', async () => {
  const to = ['--to', at('three'), HERE];
  failed(await runCli(['bulk', 'run', ...to]), 2, /Name a model/);
  failed(await runCli(['bulk', 'run', DIGITS_PATH, ...to, '--join']), 2, /--shard/);
  for (const shard of ['2/2', 'a/b']) {
    failed(await runCli(['bulk', 'run', DIGITS_PATH, ...to, '--shard', shard]), 2, /--shard/);
  }
  failed(await runCli(['bulk', 'run', 'a', 'b', ...to, '--output', 'c']), 2, /--output/);
  failed(await runCli(['bulk', 'run', at('*.safetensors'), ...to]), 2, /names the shards of one model/);
  writeFileSync(at('list.json'), '[{}]');
  failed(await runCli(['bulk', 'run', '--list', at('list.json'), ...to]), 1, /list of models/);
  const { code, stderr } = await runCli(['bulk', 'run', at('missing.safetensors'), ...to]);
  assert.is(code, 1);
  assert.match(stderr, /"missing\.holo\.safetensors": Cannot open file: it does not exist/);
  assert.match(stderr, /1 of 1 models failed/);
  // Only where the package is not installed.
  failed(
    await runCli(['bulk', 'run', DIGITS_PATH, '--to', 's3://bucket', HERE]),
    1,
    /install the package @aws-sdk/,
  );
});

test('plan: for 1,000 clients, and in percents of the same bytes as those of quality', async () => {
  const file = at('percents.holo.safetensors');
  writeFileSync(file, alone);
  const rows = (text: Buffer) =>
    Array.from(text.toString().matchAll(/^(?:\S+ +)?(\d+) +(\d+\.\d) %/gm), ([, bytes, percent]) => [
      bytes,
      percent,
    ]);
  const [planned, measured] = await Promise.all(['plan', 'quality'].map((name) => runCli([name, file])));
  const percents = new Map(rows(ok(measured!)).map(([bytes, percent]) => [bytes, percent]));
  const exact = rows(ok(planned!)).at(-1)!;
  assert.is(exact[0], String(alone.length));
  assert.is(percents.get(exact[0]), exact[1]);
  assert.match(planned!.stdout.toString(), /1000 clients/);
  assert.not.match(planned!.stdout.toString(), /cost|storage/, 'without prices');
});

test('plan: requests, bytes and cost by quality', async () => {
  const file = at('one', 'digits.holo.safetensors');
  const prices = ['--price-transfer', '0.1', '--price-requests', '2', '--price-storage', '0.02'];
  const args = ['plan', file, '--clients', '1000000', '--qualities', '0.9,exact', ...prices];
  const { fileSize, qualities, storageCost } = JSON.parse(String(ok(await runCli([...args, '--json']))));
  assert.is(fileSize, alone.length);
  assert.is(storageCost, (alone.length / 1e9) * 0.02);
  const [most, exact] = qualities;
  assert.ok(most.bytes < exact.bytes);
  assert.equal([exact.bytes, exact.requests, exact.all.requests], [alone.length, 2, 2e6]);
  assert.ok(Math.abs(exact.cost - ((1e6 * alone.length * 0.1) / 1e9 + 4)) < 1e-9, 'but for rounding');
  const words = String(ok(await runCli(args)));
  assert.match(words, /^exact +\d+ +\d+\.\d %.* {2}\d+\.\d\d$/m);
  assert.match(words, /storage, a month: 0\.00/);
  failed(await runCli(['plan', DIGITS_PATH, '--clients', '1']), 2, /no model file/);
  failed(await runCli(['plan', file, '--clients', '1', '--price-storage', 'x']), 2, /price-storage/);
});

test.run();
