import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { calibrate } from '../../models/file/calibrate.js';
import { openModel } from '../../models/openModel.js';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { commonElements } from '../../src/tensor/commonFloats.js';
import { float32ToHalf, halfToFloat32 } from '../../src/tensor/float.js';
import { type TensorData, viewBytes, viewElements } from '../../src/tensor/tensor.js';
import { failed, ok, runCli, startCli, temporaryFolder } from '../helpers/cli.js';
import { modelOf, type TestTensor } from '../helpers/models.js';
import { npyOf } from '../helpers/npyFiles.js';
import { externalTensor, graphOf, modelProto } from '../helpers/onnxWriter.js';
import { normalFrom } from '../helpers/random.js';
import { zipOf } from '../helpers/zips.js';

/** The runtime is a package of the test's own: what it computes of weights and inputs is simple. */

const test = suite('command line: calibrate');
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const random = normalFrom(5);
const numbers = (length: number) => Float32Array.from({ length }, random);

const WIDTH = 32;
const ROWS = 64;
const TENSORS: readonly TestTensor[] = [
  { name: 'strong', dtype: 'F32', shape: [ROWS, WIDTH] },
  { name: 'weak', dtype: 'F32', shape: [ROWS, WIDTH] },
  { name: 'half', dtype: 'F16', shape: [ROWS, WIDTH] },
  { name: 'bias', dtype: 'F32', shape: [ROWS] },
];
const CUT = ['strong', 'weak', 'half'];

const weights = modelOf(TENSORS, undefined, ({ dtype, shape }) =>
  viewBytes(commonElements(dtype as 'F32', numbers(shape.reduce((product, size) => product * size, 1)))),
);
const { tensors: placed } = parseSafetensorsHeader(weights);
writeFileSync(at('weights.safetensors'), weights);
const proto = modelProto(graphOf(placed.map((tensor) => externalTensor(tensor, 'weights.safetensors'))));
writeFileSync(at('model.onnx'), proto);

const samples = [numbers(WIDTH), numbers(WIDTH)];
const npz = (arrays: Readonly<Record<string, Uint8Array>>) =>
  zipOf(Object.entries(arrays).map(([name, bytes]) => ({ name: `${name}.npy`, bytes })));
const row = (x: Float32Array) => npyOf('f4', [1, WIDTH], viewBytes(x));
const mask = npyOf('b1', [1], Uint8Array.of(1));
for (const [i, x] of samples.entries()) {
  writeFileSync(at(`${i}.npz`), npz({ mask, x: row(x) }));
  writeFileSync(at(`${i}.npy`), row(x));
}
writeFileSync(at('anyName.npz'), npz({ anyName: row(samples[0]!) }));
writeFileSync(at('lacking.npz'), npz({ x: row(samples[0]!) }));
writeFileSync(at('unknown.npz'), npz({ mask, x: row(samples[0]!), y: mask }));
writeFileSync(
  at('bfloat.safetensors'),
  modelOf([
    { name: 'x', dtype: 'BF16', shape: [1, WIDTH] },
    { name: 'mask', dtype: 'BOOL', shape: [1] },
  ]),
);

/** Scores of rows: ten times those of `strong`, and those of the others. */
function scoresOf(weightOf: (name: string) => Float32Array, x: Float32Array): Float32Array {
  return Float32Array.from({ length: ROWS }, (_, row) => {
    const part = (name: string) =>
      x.reduce((sum, one, i) => sum + one * weightOf(name)[WIDTH * row + i]!, weightOf('bias')[row]!);
    return 10 * part('strong') + part('weak') + part('half');
  });
}

class Tensor {
  readonly type: string;
  readonly data: TensorData;
  readonly dims: readonly number[];

  constructor(type: string, data: TensorData, dims: readonly number[]) {
    this.type = type;
    this.data = data;
    this.dims = dims;
  }
}

/** What the runtime is asked for, and how it answers. */
const fake = {
  inputs: ['x', 'mask'],
  outputs: (scores: Float32Array): Record<string, Tensor> => ({
    best: new Tensor('int64', BigInt64Array.of(1n), [1]),
    scores: new Tensor('float32', scores, [1, ROWS]),
  }),
  /** Bytes of the external data of each session. */
  created: [] as Uint8Array[],
  fed: [] as Readonly<Record<string, Tensor>>[],
  open: 0,
  reset() {
    this.created = [];
    this.fed = [];
    assert.is(this.open, 0, 'every session has been released');
  },
};

const runtime = {
  Tensor,
  InferenceSession: {
    async create(
      graph: Uint8Array,
      { externalData: [file] }: { externalData: { path: string; data: Uint8Array }[] },
    ) {
      assert.ok(graph.length > 0 && fake.open === 0, 'one session at a time');
      assert.is(file!.path, 'model.safetensors');
      const data = file!.data.slice();
      const { tensors } = parseSafetensorsHeader(data);
      const found = new Map(
        tensors.map(({ name, dtype, offset, byteLength }) => {
          const elements = viewElements(dtype, data.subarray(offset, offset + byteLength));
          return [
            name,
            dtype === 'F16' ? halfToFloat32(elements as Uint16Array) : (elements as Float32Array),
          ];
        }),
      );
      const { inputs, outputs } = fake;
      const outputNames = Object.keys(outputs(new Float32Array(ROWS)));
      fake.created.push(data);
      fake.open += 1;
      return {
        inputNames: inputs,
        outputNames,
        async run(feeds: Readonly<Record<string, Tensor>>) {
          fake.fed.push(feeds);
          return outputs(scoresOf((name) => found.get(name)!, feeds[inputs[0]!]!.data as Float32Array));
        },
        async release() {
          fake.open -= 1;
        },
      };
    },
  },
};
Object.assign(globalThis, { runtimeOfTest: runtime });

/** A folder in which these packages are installed. */
function installed(name: string, packages: Readonly<Record<string, string>>): string {
  mkdirSync(at(name));
  for (const [file, text] of Object.entries(packages)) {
    const path = at(`${name}/node_modules/${file}/index.js`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return at(name);
}

const cwd = installed('user', {
  'onnxruntime-node': 'module.exports = globalThis.runtimeOfTest;',
  'onnxruntime-web': 'throw new Error("it is only for where there is no onnxruntime-node");',
});

const calibrated = (...args: readonly string[]) => runCli(['calibrate', at('model.onnx'), ...args], { cwd });
const SAMPLES = ['--samples', at('0.npz'), at('1.npz')];

/** What the library measures with the same runs. */
async function expected(scores: (x: Float32Array) => Float32Array = (x) => x, cosine?: number) {
  const model = await openModel(at('model.onnx'));
  const tensors = await model.load();
  await model.close();
  const evaluate = (found: ReadonlyMap<string, Float32Array>) => {
    const half = halfToFloat32(float32ToHalf(found.get('half')!));
    const weightOf = (name: string) => (name === 'half' ? half : found.get(name)!);
    return samples.flatMap((x) => [...scores(scoresOf(weightOf, x))]);
  };
  return Object.fromEntries(await calibrate(tensors, evaluate, { cosine }));
}

test.before.each(() => fake.reset());

test('what it writes is what the library measures, and encode takes it', async () => {
  const output = at('importance.json');
  const stdout = ok(await calibrated(...SAMPLES, '-o', output)).toString();
  assert.match(stdout, /importance\.json: 3 tensors, 2 samples, \d+\.\d s\n$/);
  const importance = JSON.parse(readFileSync(output, 'utf8'));
  assert.equal(importance, await expected());
  assert.ok(importance.strong > 50 * importance.weak && importance.weak > 0);
  ok(await runCli(['encode', at('model.onnx'), '-o', at('streamed/'), '--importance', output]));
});

test('one evaluation per tensor that is cut, with that one changed alone, and one more', async () => {
  ok(await calibrated(...SAMPLES));
  const names = (data: Uint8Array) =>
    parseSafetensorsHeader(data)
      .tensors.filter(({ offset, byteLength }) => {
        const [own, first] = [data, fake.created[0]!].map((one) => one.subarray(offset, offset + byteLength));
        return !Buffer.from(own!).equals(first!);
      })
      .map(({ name }) => name);
  assert.equal(fake.created.map(names).slice(0, 1), [[]]);
  assert.equal(fake.created.map(names).slice(1).flat().sort(), CUT.toSorted());
  assert.is(fake.created.length, 1 + CUT.length);
  assert.is(fake.fed.length, 2 * fake.created.length);
  const { x, mask: fed } = fake.fed[1]!;
  assert.equal([x!.type, x!.dims, x!.data], ['float32', [1, WIDTH], samples[1]]);
  assert.equal([fed!.type, fed!.dims, [...fed!.data]], ['bool', [1], [1]]);
});

test('without an output, the file is standard output; --cosine changes the measurement', async () => {
  const own = JSON.parse(ok(await calibrated(...SAMPLES, '--cosine', '0.8')).toString());
  assert.equal(own, await expected(undefined, 0.8));
  assert.not.equal(own, await expected());
});

test('an output that exists is replaced only with --force; --json says what was done', async () => {
  const output = at('exists.json');
  writeFileSync(output, 'mine');
  failed(await calibrated(...SAMPLES, '-o', output), 2, /it exists; --force replaces it/);
  assert.is(readFileSync(output, 'utf8'), 'mine');
  assert.is(fake.created.length, 0);
  const stdout = ok(await calibrated(...SAMPLES, '-o', output, '--force', '--json')).toString();
  const { seconds, ...said } = JSON.parse(stdout);
  assert.equal(said, { output, tensors: 3, samples: 2 });
  assert.type(seconds, 'number');
  assert.equal(Object.keys(JSON.parse(readFileSync(output, 'utf8'))).sort(), CUT.toSorted());
});

test('a network of one input takes the only tensor of a file, whatever its name', async () => {
  fake.inputs = ['images'];
  try {
    const [npy, archive] = [
      await calibrated('--samples', at('0.npy')),
      await calibrated('--samples', at('anyName.npz')),
    ];
    assert.equal(ok(npy), ok(archive));
    assert.equal(fake.fed[0]!.images!.data, samples[0]);
  } finally {
    fake.inputs = ['x', 'mask'];
  }
});

/** Runs the command while the network has other outputs. */
async function withOutputs(outputs: typeof fake.outputs) {
  const own = fake.outputs;
  fake.outputs = outputs;
  try {
    return await calibrated(...SAMPLES);
  } finally {
    fake.outputs = own;
  }
}

test('all floating-point outputs count, of 64 and of 16 bits', async () => {
  const result = await withOutputs((scores) => ({
    wide: new Tensor('float64', Float64Array.from(scores), [1, ROWS]),
    half: new Tensor('float16', float32ToHalf(scores), [1, ROWS]),
  }));
  const both = (scores: Float32Array) =>
    Float32Array.from([...scores, ...halfToFloat32(float32ToHalf(scores))]);
  assert.equal(JSON.parse(ok(result).toString()), await expected(both));
});

test('outputs that say nothing are bad data', async () => {
  const decisions = () => ({ best: new Tensor('int64', BigInt64Array.of(1n), [1]) });
  failed(await withOutputs(decisions), 1, /no output has floating-point numbers, but "best" \(int64\)/);
  const broken = () => ({ scores: new Tensor('float32', Float32Array.of(Number.NaN), [1]) });
  failed(await withOutputs(broken), 1, /expected one or more finite numbers/);
  const constant = () => ({ scores: new Tensor('float32', Float32Array.of(1), [1]) });
  failed(await withOutputs(constant), 1, /no tensor changes its outputs/);
  const fails = () => {
    if (fake.open > 0) throw new Error('Got invalid dimensions\nfor input x');
    return decisions();
  };
  failed(await withOutputs(fails), 1, /Cannot run the network with ".*0\.npz": Got invalid dimensions for/);
});

test('samples that are not the inputs of the graph: the message lists these', async () => {
  const inputs = 'the inputs of the network are "x", "mask"';
  for (const [file, message] of [
    ['lacking.npz', `it lacks "mask"; ${inputs}`],
    ['unknown.npz', `the network has no input "y"; ${inputs}`],
    ['0.npy', `it lacks "x", "mask"; ${inputs}`],
    ['bfloat.safetensors', `"x" has elements that cannot be fed \\(BF16\\); ${inputs}`],
  ] as const) {
    const result = await calibrated('--samples', at(file));
    failed(result, 1, new RegExp(`Cannot use the samples of ".*${file}": ${message}`));
  }
  failed(await calibrated('--samples', at('00.npz')), 1, /does not exist .*did you mean ".*0\.npz"/);
  failed(await calibrated(), 2, /required option '--samples <file...>'/);
});

test('without a runtime, or with one that does not load, the message says so', async () => {
  const args = ['calibrate', at('model.onnx'), ...SAMPLES];
  const none = await runCli(args, { cwd: installed('none', {}) });
  failed(none, 1, /install the package onnxruntime-node or onnxruntime-web/);
  const broken = { 'onnxruntime-node': 'throw new Error("no binary\\nfor this machine");' };
  const result = await runCli(args, { cwd: installed('broken', broken) });
  failed(result, 1, /Cannot load onnxruntime-node: no binary for this machine/);
  const web = { 'onnxruntime-web': 'module.exports = globalThis.runtimeOfTest;' };
  ok(await runCli(args, { cwd: installed('web', web) }));
});

test('models of other formats are for the function', async () => {
  const digits = fileURLToPath(new URL('../../examples/digits/digits.safetensors', import.meta.url));
  for (const other of [digits, at('0.npz'), at('0.npy')]) {
    const result = await runCli(['calibrate', other, ...SAMPLES], { cwd });
    failed(result, 2, /no ONNX model: use `calibrate` of holostream\/formats/);
  }
});

test('what fails leaves nothing', async () => {
  mkdirSync(at('empty'));
  const output = at('empty/importance.json');
  failed(await calibrated('--samples', at('lacking.npz'), '-o', output), 1, /it lacks/);
  assert.equal(readdirSync(at('empty')), []);
});

test('a signal ends it at once, also while the runtime holds the thread', async () => {
  const endless = `
    const create = async () => ({
      inputNames: ['x', 'mask'],
      outputNames: ['scores'],
      run() {
        process.stderr.write('running');
        for (;;);
      },
    });
    module.exports = { Tensor: class {}, InferenceSession: { create } };`;
  mkdirSync(at('interrupted'));
  const output = at('interrupted/importance.json');
  const args = ['calibrate', at('model.onnx'), ...SAMPLES, '-o', output];
  const child = startCli(args, installed('endless', { 'onnxruntime-node': endless }));
  const ended = once(child, 'exit');
  // A process that does not end would hold the test for ever.
  const guard = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const [said] = await once(child.stderr, 'data');
  assert.is(String(said), 'running');
  child.kill('SIGINT');
  assert.equal(await ended, [null, 'SIGINT']);
  clearTimeout(guard);
  assert.equal(readdirSync(at('interrupted')), []);
});

test.run();
