import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readModelFile } from '../../models/file/modelFile.js';
import { type LeftoverKind, temporaryPath } from '../../sinks/leftovers.js';
import { bytesSource } from '../../sources/bytes.js';
import { checkModelFileCommands, checkModelFileQuality, inspected } from '../helpers/checks/commands.js';
import { failed, ok, runCli, startCli, temporaryFolder } from '../helpers/cli.js';
import { encodeToModelFile } from '../helpers/modelFiles.js';
import { HOSTILE_TENSORS, modelOf, type TestTensor } from '../helpers/models.js';
import { strictSafetensors } from '../helpers/strictSafetensors.js';
import { DIGITS_PATH } from '../helpers/trained.js';

const test = suite('command line: model files');
const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);

test('a trained model and back, byte for byte', () =>
  checkModelFileCommands(folder, DIGITS_PATH, 'fc1.weight'));

test('a model from standard input can be decoded to a folder, too', async () => {
  const input = modelOf([{ name: 'w', dtype: 'F32', shape: [3] }]);
  ok(await runCli(['encode', '-', '-o', at('piped.holo.safetensors')], { input }));
  ok(await runCli(['decode', at('piped.holo.safetensors'), '-o', at('piped/')]));
  assert.ok(readFileSync(at('piped', 'model.safetensors')).equals(input));
});

test('every dtype and hostile names; --keep stores tensors as they are', async () => {
  const model = modelOf([...HOSTILE_TENSORS, { name: 'large.bias', dtype: 'F32', shape: [5000] }]);
  writeFileSync(at('hostile.safetensors'), model);
  const output = at('hostile.holo.safetensors');
  const kept = ['--keep', '*.bias', '--keep', 'large.bi?s'];
  ok(await runCli(['encode', at('hostile.safetensors'), '-o', output, '--fragments', '3', ...kept]));
  const { tensors } = await inspected(output);
  const encoded = tensors.filter((tensor: { encoded: boolean }) => tensor.encoded);
  assert.equal(
    encoded.map(({ name, fragments }: { name: string; fragments: object[] }) => [name, fragments.length]),
    [['large', 3]],
  );
  ok(await runCli(['decode', output, '-o', at('hostile-back.safetensors')]));
  assert.ok(readFileSync(at('hostile-back.safetensors')).equals(model));
});

test('patterns that name no tensor: an error of --keep, a word about --importance', async () => {
  const model = at('named.safetensors');
  writeFileSync(model, modelOf([{ name: 'head', dtype: 'F32', shape: [60, 60] }]));
  const output = at('named.holo.safetensors');
  const encode = (...options: string[]) => runCli(['encode', model, '-o', output, ...options]);
  failed(
    await encode('--keep', 'head', '--keep', '*.bias'),
    2,
    /--keep: no tensor has a name like "\*\.bias"/,
  );
  assert.not(existsSync(output));

  const importance = at('named.json');
  const factors = { 'h*': 2, body: 1, 'a.*': 1, b: 1, c: 1, d: 1, e: 1 };
  writeFileSync(importance, JSON.stringify(factors));
  const { code, stderr } = await encode('--importance', importance);
  assert.is(code, 0);
  assert.is(
    stderr,
    'holostream: --importance: no tensor has a name like "body", "a.*", "b", "c", "d" and 1 more\n',
  );
});

test('--order and --importance decide which tensors come first', async () => {
  const source = at('layers.safetensors');
  writeFileSync(
    source,
    modelOf([
      { name: 'body', dtype: 'F32', shape: [200, 100] },
      { name: 'head', dtype: 'F32', shape: [60, 60] },
    ]),
  );
  const importance = at('importance.json');
  const weightsWith = async (...options: string[]) => {
    const output = at('layers.holo.safetensors');
    ok(await runCli(['encode', source, '-o', output, ...options]));
    const { tensors } = await readModelFile(bytesSource(readFileSync(output)));
    return tensors.map(({ weight }) => weight);
  };
  assert.equal(await weightsWith(), [0.176777, 0.125]);
  assert.equal(await weightsWith('--order', 'elements'), [20_000, 3600]);
  writeFileSync(importance, '{ "b*": 3, "*": 2, "head": 0.5 }');
  assert.equal(await weightsWith('--importance', importance), [0.53033, 0.0625]);
  for (const [text, message] of [
    ['{', /importance of tensors: it is not JSON/],
    ['[1]', /importance of tensors: it is not an object/],
    ['{ "head": -1 }', /importance of tensors: invalid factor .*head/],
  ] as const) {
    writeFileSync(importance, text);
    failed(
      await runCli(['encode', source, '-o', at('x.holo.safetensors'), '--importance', importance]),
      1,
      message,
    );
  }
  failed(await runCli(['encode', source, '-o', at('x.holo.safetensors'), '--order', 'size']), 2, /elements/);
});

test('--workers: any number of threads make, read and restore the same file', async () => {
  const source = at('threads.safetensors');
  const tensors: TestTensor[] = [
    { name: 'a', dtype: 'F32', shape: [300, 200] },
    { name: 'b', dtype: 'BF16', shape: [500, 100] },
    { name: 'c', dtype: 'F32', shape: [20] },
  ];
  writeFileSync(source, modelOf(tensors));
  const [alone, threads] = [at('alone.holo.safetensors'), at('threads.holo.safetensors')];
  ok(await runCli(['encode', source, '-o', alone, '--workers', '0']));
  ok(await runCli(['encode', source, '-o', threads, '--workers', '2']));
  assert.ok(readFileSync(threads).equals(readFileSync(alone)));
  ok(await runCli(['verify', threads, '--workers', '2']));
  ok(await runCli(['decode', threads, '-o', at('threads-back.safetensors'), '--workers', '2']));
  assert.ok(readFileSync(at('threads-back.safetensors')).equals(readFileSync(source)));
  for (const wrong of ['-1', '1.5', 'two', '100000']) {
    failed(await runCli(['verify', threads, '--workers', wrong]), 2, /--workers/);
  }
});

test('fewer fragments than asked for is said', async () => {
  const source = at('small.safetensors');
  writeFileSync(
    source,
    modelOf([
      { name: 'large', dtype: 'F32', shape: [400, 400] },
      { name: 'small', dtype: 'F32', shape: [40, 40] },
    ]),
  );
  const said = async (...args: string[]) => {
    const { code, stderr } = await runCli(['encode', source, ...args]);
    assert.is(code, 0, stderr);
    return stderr;
  };
  const model = ['-o', at('small.holo.safetensors')];
  assert.is(await said(...model), '');
  assert.is(await said(...model, '--fragments', '5'), '');
  assert.is(await said(...model, '--qualities', '0.5,0.9,exact'), '');
  const fewer = /^fewer fragments than asked for: (\d) of 2 cut tensors/;
  assert.is(fewer.exec(await said(...model, '--fragments', '100'))?.[1], '1');
  assert.is(fewer.exec(await said(...model, '--qualities', '0.9,0.9000001,exact'))?.[1], '2');
  const tensor = ['--tensor', 'small', '-o', at('small.holo')];
  assert.is(await said(...tensor), '');
  assert.match(await said(...tensor, '--fragments', '1000'), /^\d+ fragments, not 1000: /);
});

test('a model file that has lost its checksum is refused by every command', async () => {
  const file = at('damaged.holo.safetensors');
  writeFileSync(at('whole.safetensors'), modelOf([{ name: 'w', dtype: 'F32', shape: [80, 80] }]));
  ok(await runCli(['encode', at('whole.safetensors'), '-o', file]));
  const bytes = readFileSync(file);
  bytes[bytes.indexOf('checksum')]! ^= 1;
  writeFileSync(file, bytes);
  for (const args of [
    ['inspect', file],
    ['verify', file],
    ['quality', file],
    ['decode', file, '-o', at('out.safetensors')],
    ['decode', file, '-o', `${at('out')}/`],
    ['encode', file, '-o', `${at('out')}/`],
    ['encode', file, '-o', at('out.holo.safetensors')],
    ['encode', file, '--tensor', 'w#0', '-o', at('out.hct')],
  ]) {
    failed(await runCli(args), 1, /Cannot read .*the data of a model file/);
  }
  assert.equal(
    readdirSync(folder).filter((name) => name.startsWith('out')),
    [],
  );
});

test('shards in; shards, or one file, out', async () => {
  mkdirSync(at('shards'));
  const tensors = [
    [{ name: 'a', dtype: 'F32', shape: [80, 80] }],
    [
      { name: 'b', dtype: 'BF16', shape: [80, 80] },
      { name: 'c', dtype: 'I64', shape: [3] },
    ],
  ] as const;
  const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const map: Record<string, string> = { a: names[0]!, b: names[1]!, c: names[1]! };
  const index = JSON.stringify({ metadata: { total_size: 1 }, weight_map: map });
  writeFileSync(at('shards', 'model.safetensors.index.json'), index);
  for (const [i, name] of names.entries()) writeFileSync(at('shards', name), modelOf(tensors[i]!));
  const output = at('sharded.holo.safetensors');
  ok(await runCli(['encode', at('shards', 'model.safetensors.index.json'), '-o', output]));
  ok(await runCli(['decode', output, '-o', `${at('again')}/`]));
  assert.equal(readdirSync(at('again')).sort(), readdirSync(at('shards')).sort());
  for (const name of readdirSync(at('shards'))) {
    assert.ok(readFileSync(at('again', name)).equals(readFileSync(at('shards', name))), name);
  }
  ok(await runCli(['decode', output, '-o', at('joined.safetensors')]));
  const joined = strictSafetensors(readFileSync(at('joined.safetensors')));
  assert.equal(
    joined.tensors.map(({ name }) => name),
    ['a', 'b', 'c'],
  );
});

test('no file is written over by the index, whose name it has', async () => {
  const name = 'model.safetensors.index.json';
  const files = { [name]: modelOf([{ name: 'a', dtype: 'F32', shape: [3] }]) };
  const input = await encodeToModelFile({ ...files, other: modelOf([]) }, { index: '{}' });
  failed(
    await runCli(['decode', '-', '-o', at('over/')], { input }),
    1,
    /two of its files have the same name/,
  );
  assert.not.ok(existsSync(at('over')));
});

test('quality: what a download in order is worth, as the file says', () =>
  checkModelFileQuality(at('model.holo.safetensors')));

test('what is wrong with an index or a model file: exit code 1', async () => {
  const broken: [string, string, RegExp][] = [
    ['json', '{', /not JSON/],
    ['map', '{}', /no weight_map/],
    ['outside', '{"weight_map": {"a": "../secret.safetensors"}}', /a plain name/],
    ['windows', '{"weight_map": {"a": "..\\\\secret.safetensors"}}', /a plain name/],
    ['absent', '{"weight_map": {"a": "absent.safetensors"}}', /Cannot open file/],
  ];
  for (const [name, text] of broken) writeFileSync(at(`${name}.safetensors.index.json`), text);
  const results = await Promise.all(
    broken.map(([name]) =>
      runCli(['encode', at(`${name}.safetensors.index.json`), '-o', at('x.holo.safetensors')]),
    ),
  );
  for (const [i, result] of results.entries()) failed(result, 1, broken[i]![2]);
  const bytes = readFileSync(at('sharded.holo.safetensors'));
  bytes[bytes.length - 9]! ^= 1;
  writeFileSync(at('flipped.holo.safetensors'), bytes);
  writeFileSync(at('kept.safetensors'), 'kept');
  failed(
    await runCli(['decode', at('flipped.holo.safetensors'), '-o', at('kept.safetensors')]),
    1,
    /checksum/,
  );
  failed(await runCli(['verify', at('flipped.holo.safetensors')]), 1, /checksum/);
  assert.is(readFileSync(at('kept.safetensors'), 'utf8'), 'kept');
  failed(
    await runCli(['encode', at('sharded.holo.safetensors'), '-o', at('x.holo.safetensors')]),
    1,
    /already/,
  );
  const left = readdirSync(folder).filter((name) => /staging|tmp|partial|^x\./.test(name));
  assert.equal(left, []);
});

/** Staging stores beside an output, and how many tensors are in the first. */
function stagingOf(name: string) {
  const stores = readdirSync(folder).filter(
    (one) => one.startsWith(`.${name}.`) && /holostream-staging$/.test(one),
  );
  const [first] = stores;
  let tensors = 0;
  try {
    if (first !== undefined)
      tensors = readdirSync(at(first)).filter((one) => one.endsWith('.staging')).length;
  } catch {
    // It has gone meanwhile.
  }
  return { stores, tensors };
}

/**
 * Signals a conversion of `name.safetensors` when its first tensor is encoded. On a busy machine the signal may come
 * late: then there is more to do the next time.
 */
async function signalled(name: string, signal: 'SIGINT' | 'SIGKILL' | 'SIGSTOP') {
  for (let count = 10; ; count *= 3) {
    assert.ok(count < 1000);
    const tensors = Array.from({ length: count }, (_, i) => ({
      name: `w${i}`,
      dtype: 'F32',
      shape: [150, 200],
    }));
    writeFileSync(at(`${name}.safetensors`), modelOf(tensors as TestTensor[]));
    const output = at(`${name}.holo.safetensors`);
    const child = startCli(['encode', at(`${name}.safetensors`), '-o', output]);
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    while (stagingOf(`${name}.holo.safetensors`).tensors < 1 && child.exitCode === null)
      await new Promise((next) => setTimeout(next, 5));
    child.kill(signal);
    if (signal === 'SIGSTOP' && child.exitCode === null) return { child, ended };
    if ((await ended) !== 0) return { child, ended };
    rmSync(output);
  }
}

/** Asserts that the model file holds the model, and that nothing else is beside it. */
async function assertConverted(name: string): Promise<void> {
  const output = at(`${name}.holo.safetensors`);
  ok(await runCli(['decode', output, '-o', at(`${name}-back.safetensors`)]));
  assert.ok(readFileSync(at(`${name}-back.safetensors`)).equals(readFileSync(at(`${name}.safetensors`))));
  const left = readdirSync(folder).filter((one) => one.startsWith(`.${name}`));
  assert.equal(left, []);
}

test('an interrupted conversion goes on with --resume', async () => {
  const { ended } = await signalled('long', 'SIGINT');
  assert.is(await ended, 130);
  assert.not(readdirSync(folder).includes('long.holo.safetensors'));
  assert.ok(stagingOf('long.holo.safetensors').tensors >= 1);
  const output = at('long.holo.safetensors');
  ok(await runCli(['encode', at('long.safetensors'), '-o', output, '--resume']));
  assert.is(stagingOf('long.holo.safetensors').tensors, 0);
  await assertConverted('long');
});

test('what a killed conversion leaves is removed by the next run, which says so', async () => {
  await signalled('killed', 'SIGKILL');
  assert.ok(stagingOf('killed.holo.safetensors').tensors >= 1);
  const output = at('killed.holo.safetensors');
  const { code, stderr } = await runCli(['encode', at('killed.safetensors'), '-o', output]);
  assert.is(code, 0);
  assert.match(stderr, /^holostream: found what an earlier run had left \(.*killed.*staging\): removed it\n/);
  await assertConverted('killed');
});

test('leftovers of files and folders: removed or put back, and said', async () => {
  const ofDead = (path: string, kind: LeftoverKind) =>
    temporaryPath(path, kind).replace(/-\d+-[0-9a-f]{8}-/, '-999999999-00000001-');
  writeFileSync(at('tensor.safetensors'), modelOf([{ name: 'w', dtype: 'F32', shape: [80, 80] }]));
  for (const name of ['left.hct', 'left.holo', 'left.holo.safetensors']) {
    writeFileSync(ofDead(at(name), 'tmp'), '');
    const { code, stderr } = await runCli(['encode', at('tensor.safetensors'), '-o', at(name)]);
    assert.is(code, 0);
    assert.match(stderr, /^holostream: found what an earlier run had left \(.*\.tmp\): removed it\n$/);
  }
  ok(await runCli(['encode', at('tensor.safetensors'), '-o', at('left-model/')]));
  renameSync(at('left-model'), ofDead(at('left-model'), 'old'));
  const again = await runCli(['encode', at('absent.safetensors'), '-o', at('left-model/')]);
  assert.is(again.code, 1);
  const { code, stderr } = await runCli(['encode', at('tensor.safetensors'), '-o', at('left-model/')]);
  assert.is(code, 0);
  assert.match(stderr, /^holostream: found .*\.old\): put the older model back\n$/);
  assert.equal(
    readdirSync(folder).filter((name) => name.startsWith('.left')),
    [],
  );
});

test('a conversion that still runs is not touched by another one to the same file', async () => {
  const { child, ended } = await signalled('twice', 'SIGSTOP');
  const [store] = stagingOf('twice.holo.safetensors').stores;
  const output = at('twice.holo.safetensors');
  for (const resume of [[], ['--resume']]) {
    ok(await runCli(['encode', at('twice.safetensors'), '-o', output, ...resume]));
    assert.equal(stagingOf('twice.holo.safetensors').stores, [store]);
  }
  const first = readFileSync(output);
  child.kill('SIGCONT');
  assert.is(await ended, 0);
  assert.ok(readFileSync(output).equals(first));
  await assertConverted('twice');
});

test('options that make no sense: exit code 2', async () => {
  const model = at('hostile.safetensors');
  const cases: [string[], RegExp][] = [
    [
      ['encode', model, '-o', 'x.holo.safetensors', '--tensor', 'w'],
      /--tensor does not apply to a model file/,
    ],
    [['encode', model, '-o', 'x.holo', '--keep', '*'], /--keep does not apply to a HoloTensor file/],
    [
      ['decode', at('hostile.holo.safetensors'), '-o', 'x.npy'],
      /becomes a \.safetensors file or a directory/,
    ],
    [['decode', at('hostile.holo.safetensors'), '-o', '-', '--quality', '2'], /above 0 and at most 1/],
    [['decode', model, '-o', '-'], /is a safetensors file: it needs no decoding/],
    [['quality', at('hostile.holo.safetensors'), '--against', model], /this is a model file/],
    [['quality', model], /holds no fragments/],
  ];
  const results = await Promise.all(cases.map(([args]) => runCli(args)));
  for (const [i, result] of results.entries()) failed(result, 2, cases[i]![1]);
});

test.run();
