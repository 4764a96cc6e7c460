import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openForeignModel } from '../../models/inputs/foreign.js';
import { openModel } from '../../models/openModel.js';
import { readSafetensors } from '../../readers/safetensors.js';
import { bytesSource } from '../../sources/bytes.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { failed, ok, runCli, temporaryFolder } from '../helpers/cli.js';
import { smallGguf } from '../helpers/ggufFiles.js';

const test = suite('command line: models of other formats');

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/inputs/onnx/${name}`, import.meta.url));

for (const name of ['external.onnx', 'external.bin', 'typed.onnx']) copyFileSync(fixture(name), at(name));

test('a model becomes its graph and a model file, which decodes to the weights of the graph', async () => {
  ok(await runCli(['encode', 'external.onnx', '-o', 'out/'], { cwd: folder }));
  assert.equal(readdirSync(at('out')).sort(), ['external.holo.safetensors', 'external.onnx']);
  ok(await runCli(['decode', 'external.holo.safetensors', '-o', 'external.safetensors'], { cwd: at('out') }));
  const openBeside = (name: string) => bytesSource(readFileSync(at(name)));
  const model = await openForeignModel(bytesSource(readFileSync(at('external.onnx'))), {
    name: 'external.onnx',
    openBeside,
  });
  const [weights, graph] = [model.files[0]!.source, model.beside[0]!.source];
  assert.equal(
    readFileSync(at('out', 'external.safetensors')),
    Buffer.from(await weights.read(0, weights.size!)),
  );
  assert.equal(readFileSync(at('out', 'external.onnx')), Buffer.from(await graph.read(0, graph.size!)));
});

test('a folder that exists needs no slash; options are those of model files', async () => {
  mkdirSync(at('there'));
  const args = [
    'encode',
    'typed.onnx',
    '-o',
    'there',
    '--fragments',
    '4',
    '--keep',
    'bf16',
    '--workers',
    '0',
  ];
  ok(await runCli(args, { cwd: folder }));
  assert.equal(readdirSync(at('there')).sort(), ['typed.holo.safetensors', 'typed.onnx']);
  const refused = await runCli([...args, '--block-size', '4096'], { cwd: folder });
  failed(refused, 2, /--block-size does not apply to an ONNX model/);
});

test('inspect lists the tensors of models that encode takes', async () => {
  writeFileSync(at('small.gguf'), smallGguf());
  const zip = (name: string) => fileURLToPath(new URL(`../fixtures/inputs/zip/${name}`, import.meta.url));
  for (const [path, format, tensor] of [
    [at('typed.onnx'), 'onnx', 'f32'],
    [at('external.onnx'), 'onnx', undefined],
    [at('small.gguf'), 'gguf', undefined],
    [zip('checkpoint.pt'), 'zip', undefined],
    [zip('stored.npz'), 'zip', undefined],
  ] as const) {
    const data = JSON.parse(ok(await runCli(['inspect', path, '--json'])).toString());
    assert.is(data.format, format);
    assert.ok(data.tensors.length > 0, path);
    const sum = data.tensors.reduce(
      (bytes: number, one: { byteLength: number }) => bytes + one.byteLength,
      0,
    );
    assert.is(data.originalSize, sum);
    const text = ok(await runCli(['inspect', path])).toString();
    assert.match(text, 'which "holostream encode" takes');
    for (const { name, dtype } of data.tensors)
      assert.ok(text.includes(`${name} `) && text.includes(dtype), name);
    if (tensor !== undefined) assert.match(text, new RegExp(`^${tensor} +F32 +\\[`, 'm'));
  }
  const npy = fileURLToPath(new URL('../fixtures/inputs/w_f4.npy', import.meta.url));
  failed(await runCli(['inspect', npy]), 1, /but a NumPy file; "holostream encode" takes it/);
});

test('a tensor of it can be encoded, too', async () => {
  ok(await runCli(['encode', 'typed.onnx', '--tensor', 'f32', '-o', 'f32.hct'], { cwd: folder }));
  const read = await runCli(['decode', 'f32.hct', '-o', '-'], { cwd: folder });
  assert.is(ok(read).length, 1200);
});

test('what cannot work is refused before anything is written', async () => {
  const cases: readonly [string[], number, RegExp][] = [
    [['typed.onnx', '-o', 'x.holo.safetensors'], 2, /end the output with \//],
    [['typed.onnx', '-o', './'], 2, /Cannot write the graph over "typed\.onnx"/],
    [['none.onnx', '-o', 'none/'], 1, /none\.onnx/],
    [['pointer.onnx', '-o', 'none/'], 1, /a Git LFS pointer.*\(pointer\.onnx/],
    [['text.onnx', '-o', 'none/'], 1, /this is text \(text\.onnx/],
    [['gguf.onnx', '-o', 'none/'], 2, /"gguf\.onnx" is no ONNX model/],
    [['empty.onnx', '-o', 'none/'], 1, /it has no graph \(empty\.onnx\)/],
    [['text.zip', '-o', 'none.holo.safetensors'], 1, /nor data\.pkl \(text\.zip\)$/m],
  ];
  copyFileSync(fixture('../lfs-pointer.safetensors'), at('pointer.onnx'));
  copyFileSync(fixture('../zip/text.zip'), at('text.zip'));
  writeFileSync(at('text.onnx'), 'Not a model, but a sentence.');
  writeFileSync(at('gguf.onnx'), smallGguf());
  writeFileSync(at('empty.onnx'), '');
  const before = readFileSync(at('typed.onnx'));
  failed(
    await runCli(['encode', '-', '-o', 'none/'], { cwd: folder, input: before }),
    2,
    /from a file whose name ends with \.onnx/,
  );
  await Promise.all(
    cases.map(async ([args, code, message]) =>
      failed(await runCli(['encode', ...args], { cwd: folder }), code, message),
    ),
  );
  for (const name of ['none', 'none.holo.safetensors']) assert.not(existsSync(at(name)));
  assert.equal(readFileSync(at('typed.onnx')), before);
});

test('the weights of an ONNX model have the name that transformers.js asks for', async () => {
  const names = ['-o', 'named/', '--weights-name', 'model.onnx_data'];
  ok(await runCli(['encode', 'typed.onnx', ...names], { cwd: folder }));
  assert.equal(readdirSync(at('named')).sort(), ['typed.holo.safetensors', 'typed.onnx']);
  assert.ok(readFileSync(at('named/typed.onnx')).includes('model.onnx_data'));
  ok(await runCli(['decode', 'named/typed.holo.safetensors', '-o', 'weights/'], { cwd: folder }));
  ok(await runCli(['encode', 'typed.onnx', '-o', 'usual/'], { cwd: folder }));
  ok(await runCli(['decode', 'usual/typed.holo.safetensors', '-o', 'usual.safetensors'], { cwd: folder }));
  assert.ok(readFileSync(at('weights/model.onnx_data')).equals(readFileSync(at('usual.safetensors'))));
  failed(
    await runCli(['encode', 'typed.onnx', '-o', 'x/', '--weights-name', '../x'], { cwd: folder }),
    2,
    /the name of a file, without a folder/,
  );
  // The graph would be overwritten by its weights.
  const own = ['-o', 'x/', '--weights-name', 'typed.onnx'];
  failed(
    await runCli(['encode', 'typed.onnx', ...own], { cwd: folder }),
    2,
    /name of its weights \(typed\.onnx\)/,
  );
  const modelFile = ['-o', 'x/', '--weights-name', 'typed.holo.safetensors'];
  failed(await runCli(['encode', 'typed.onnx', ...modelFile], { cwd: folder }), 2, /name of a model file/);
  assert.not(existsSync(at('x')));
});

test('a GGUF file comes back bit for bit, also at a lower quality as a GGUF file, or as safetensors', async () => {
  const original = smallGguf();
  writeFileSync(at('m.gguf'), original);
  ok(await runCli(['encode', 'm.gguf', '-o', 'm.holo.safetensors'], { cwd: folder }));
  const decode = async (...args: string[]) => {
    ok(await runCli(['decode', 'm.holo.safetensors', ...args], { cwd: folder }));
    return new Uint8Array(readFileSync(at(args.at(-1)!)));
  };
  const [back, rough, tensors, piped, refused, directory] = await Promise.all([
    decode('-o', 'back.gguf'),
    decode('--quality', '0.9', '-o', 'rough.gguf'),
    decode('-o', 'tensors.safetensors'),
    runCli(['decode', 'm.holo.safetensors', '-o', '-'], { cwd: folder }),
    runCli(['decode', 'm.holo.safetensors', '-o', 'm.onnx'], { cwd: folder }),
    runCli(['encode', 'm.gguf', '-o', 'directory/'], { cwd: folder }),
  ]);
  assert.equal(back, original);
  assert.is(rough.length, original.length);
  assert.not.equal(rough, original);
  assert.ok((await readSafetensors(bytesSource(tensors))).has('output.weight'));
  assert.equal(new Uint8Array(ok(piped)), original);
  failed(refused, 2, /becomes a \.gguf or \.safetensors file or a directory/);
  failed(directory, 2, /A model directory is made of safetensors files/);
});

test('from standard input, too: what it decodes to is named after its format', async () => {
  const archive = new URL('../fixtures/inputs/zip/stored.npz', import.meta.url);
  const cases = [
    ['gguf', smallGguf()],
    ['npz', readFileSync(archive)],
  ] as const;
  for (const [suffix, input] of cases) {
    ok(await runCli(['encode', '-', '-o', `piped-${suffix}.holo.safetensors`], { cwd: folder, input }));
    const decode = (...args: string[]) =>
      runCli(['decode', `piped-${suffix}.holo.safetensors`, '-o', ...args], { cwd: folder });
    ok(await decode(`piped.${suffix}`));
    assert.ok(readFileSync(at(`piped.${suffix}`)).equals(input), suffix);
    ok(await decode(`piped-${suffix}.safetensors`));
    assert.ok((await readSafetensors(bytesSource(readFileSync(at(`piped-${suffix}.safetensors`))))).size > 0);
    ok(await decode(`piped-${suffix}/`));
    assert.equal(readdirSync(at(`piped-${suffix}`)), [`model.${suffix}`]);
  }
});

test('the shards of a checkpoint of PyTorch, by their index: those that are stored come back bit for bit', async () => {
  const archive = (name: string) => readFileSync(new URL(`../fixtures/inputs/zip/${name}`, import.meta.url));
  const [first, second] = [1, 2].map((number) => `pytorch_model-0000${number}-of-00002.bin`) as [
    string,
    string,
  ];
  mkdirSync(at('sharded'));
  writeFileSync(at(`sharded/${first}`), archive('checkpoint.pt'));
  writeFileSync(at(`sharded/${second}`), archive('strided.pt'));
  const files = await Promise.all([first, second].map((name) => openModel(at(`sharded/${name}`))));
  const listed = files.flatMap(({ tensors }, i) => tensors.map(({ name }) => [name, [first, second][i]]));
  const index = 'sharded/pytorch_model.bin.index.json';
  // Checkpoints list tied weights under one name, and their indexes under all.
  const weightMap = Object.fromEntries([...listed, ['model.tied.weight', first]]);
  writeFileSync(at(index), JSON.stringify({ metadata: {}, weight_map: weightMap }));
  const model = await openModel(at(index));
  assert.equal([model.format, model.tensors.length], ['zip', listed.length]);
  const expected = await model.load({ as: 'source' });
  // What is around tensors is no tensor, for inspect.
  const isBetween = (name: string) => name.startsWith(`${first}:`);
  const inspected = JSON.parse(String(ok(await runCli(['inspect', index, '--json'], { cwd: folder }))));
  assert.equal(
    inspected.tensors.map(({ name, file }: { name: string; file: string }) => [name, file]),
    listed.filter(([name]) => !isBetween(name!)),
  );
  failed(
    await runCli(['verify', index], { cwd: folder }),
    1,
    /"holostream encode" takes them.*00001-of-00002\.bin/,
  );
  ok(await runCli(['encode', index, '-o', 'sharded.holo.safetensors'], { cwd: folder }));
  ok(await runCli(['decode', 'sharded.holo.safetensors', '-o', 'unsharded/'], { cwd: folder }));
  // The index would name a file that is another one now.
  const converted = second.replace('.bin', '.safetensors');
  assert.equal(readdirSync(at('unsharded')).sort(), [first, converted]);
  assert.ok(readFileSync(at(`unsharded/${first}`)).equals(archive('checkpoint.pt')));
  ok(await runCli(['decode', 'sharded.holo.safetensors', '-o', 'one.safetensors'], { cwd: folder }));
  const tensors = await readSafetensors(bytesSource(readFileSync(at('one.safetensors'))));
  assert.equal([...tensors.keys()].sort(), [...expected.keys()].filter((name) => !isBetween(name)).sort());
  for (const [name, { data }] of tensors) assert.equal(viewBytes(data), viewBytes(expected.get(name)!.data));
  await Promise.all([...files, model].map((one) => one.close()));
});

test('a part of a checkpoint of PyTorch, as safetensors: its tensors by their names, and nothing else', async () => {
  const checkpoint = new URL('../fixtures/inputs/zip/checkpoint.pt', import.meta.url);
  writeFileSync(at('c.pt'), readFileSync(checkpoint));
  ok(await runCli(['encode', 'c.pt', '-o', 'c.holo.safetensors'], { cwd: folder }));
  const NAMES = ['embedding.weight', 'fc.bias', 'fc.weight', 'mask', 'steps'].map((name) => `model.${name}`);
  for (const choice of [[], ['--quality', '0.9']]) {
    const args = ['decode', 'c.holo.safetensors', ...choice, '-o', 'c.safetensors', '--force'];
    ok(await runCli(args, { cwd: folder }));
    const tensors = await readSafetensors(bytesSource(readFileSync(at('c.safetensors'))));
    assert.equal([...tensors.keys()].sort(), NAMES);
  }
  ok(await runCli(['decode', 'c.holo.safetensors', '-o', 'back.pt'], { cwd: folder }));
  assert.equal(readFileSync(at('back.pt')), readFileSync(checkpoint));
  // A prefix has the head, which comes first; a shorter one says that it has no numbers.
  const bytes = readFileSync(at('c.holo.safetensors'));
  for (const part of [0.75, 0.9]) {
    writeFileSync(at('cut.holo.safetensors'), bytes.subarray(0, Math.floor(part * bytes.length)));
    for (const output of ['cut.pt', 'cut.safetensors']) {
      const { code, stderr } = await runCli(['decode', 'cut.holo.safetensors', '-o', output], {
        cwd: folder,
      });
      assert.is(code, 0, stderr);
      assert.match(stderr, /cut off: \d+\.\d % of it is here/);
    }
    assert.is(readFileSync(at('cut.pt')).length, readFileSync(checkpoint).length);
  }
});

test('weights of TensorFlow.js, which its model.json lists, become safetensors', async () => {
  const bytes = new Uint8Array(Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i)).buffer);
  writeFileSync(at('group1-shard1of2.bin'), bytes.subarray(0, 9999));
  writeFileSync(at('group1-shard2of2.bin'), bytes.subarray(9999));
  const weights = [{ name: 'dense/kernel', shape: [40, 100], dtype: 'float32' }];
  const paths = ['group1-shard1of2.bin', 'group1-shard2of2.bin'];
  writeFileSync(
    at('model.json'),
    JSON.stringify({ modelTopology: {}, weightsManifest: [{ paths, weights }] }),
  );
  ok(await runCli(['encode', 'model.json', '-o', 'tfjs.holo.safetensors'], { cwd: folder }));
  ok(await runCli(['decode', 'tfjs.holo.safetensors', '-o', 'tfjs/'], { cwd: folder }));
  const tensors = await readSafetensors(bytesSource(readFileSync(at('tfjs/model.safetensors'))));
  assert.equal(tensors.get('dense/kernel'), {
    dtype: 'F32',
    shape: [40, 100],
    data: new Float32Array(bytes.buffer),
  });
  failed(
    await runCli(['verify', 'model.json'], { cwd: folder }),
    1,
    /neither HCT, HoloTensor nor safetensors, but the model\.json of a network of TensorFlow\.js/,
  );
});

test.run();
