import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { demonstrateHct } from '../../examples/demo/hct.js';
import { serveFolder } from '../../examples/demo/server.js';
import { streamModel } from '../../examples/demo/streamModel.js';
import { testSet } from '../../examples/digits/testSet.js';
import { readSafetensors } from '../../readers/safetensors.js';
import { bytesSource } from '../../sources/bytes.js';
import { ChecksumError, SourceError } from '../../src/errors.js';
import { rejects } from '../helpers/assertions.js';
import { temporaryFolder } from '../helpers/cli.js';

const test = suite('demo');
const root = fileURLToPath(new URL('../..', import.meta.url));
const model = bytesSource(readFileSync(join(root, 'examples/digits/digits.safetensors')));
const samples = testSet().slice(0, 50);
const folder = temporaryFolder();

test('it runs, ends by itself with exit code 0, and says what the model is worth', () => {
  const args = ['--import', 'tsx', 'examples/demo.ts'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  assert.is(stderr, '');
  assert.is(status, 0);
  assert.match(stdout, /encoded +4 tensors: 610,600 bytes → 4\d\d,\d\d\d bytes/);
  assert.match(stdout, /verified +44 checksums/);
  assert.match(stdout, /accuracy +98\.65 % of 2000/);
  assert.match(stdout, /quality 1\.0000, accuracy 98\.65 %\n +resumed +2 times; every bit the same/);
  for (const encoding of ['embedded', 'spectral']) {
    const [, ...rounds] = stdout.slice(stdout.indexOf(`HoloTensor, ${encoding}`)).split('\n', 9);
    const worth = rounds.map((round) => Number(/accuracy (.*) %/.exec(round)![1]));
    assert.ok(worth[0]! < 30 && worth[7] === 97.8, `${worth}`);
  }
  const steps = Array.from(stdout.matchAll(/([\d.]+) % +of the bytes: .* accuracy (.*) %/g), ([, ...step]) =>
    step.map(Number),
  );
  assert.equal(
    steps.map(([part]) => part),
    [...new Set(steps.map(([part]) => part))],
    'no step twice',
  );
  const worthAt = (percent: number) => steps.findLast(([part]) => part! <= percent)![1]!;
  assert.ok(worthAt(5) >= 97 && worthAt(8.5) >= 98, `${steps}`);
});

test('it fails when a bit is not what it was', async () => {
  const other = await readSafetensors(model);
  const bias = other.get('fc2.bias')!;
  other.set('fc2.bias', { ...bias, data: bias.data.slice().fill(1 as never) });
  await rejects(demonstrateHct(model, other, samples, join(folder, 'a')), Error, /fc2\.bias differs/);
});

test('it fails when a file is damaged or missing on the server', async () => {
  await demonstrateHct(model, await readSafetensors(model), samples, join(folder, 'b'));
  await using server = await serveFolder(join(folder, 'b'), 100);
  const path = join(folder, 'b', 'fc2.weight.hct');
  const bytes = readFileSync(path);
  bytes[bytes.length - 2000]! ^= 1;
  writeFileSync(path, bytes);
  await rejects(streamModel(server.url), ChecksumError);
  rmSync(path);
  await rejects(streamModel(server.url), SourceError, /404/);
});

// The demo prints; the test's own report is written past `console`.
const { log } = console;
test.before(() => {
  console.log = () => {};
});
test.after(() => {
  console.log = log;
});

test.run();
