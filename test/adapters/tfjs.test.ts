import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ioHandler, loadWeights } from '../../adapters/tfjs.js';
import { openModel } from '../../models/openModel.js';
import { ArgumentError, FormatError, UnsupportedError } from '../../src/errors.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { rejects, throws } from '../helpers/assertions.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { modelOf, type TestTensor } from '../helpers/models.js';

const test = suite('weights for TensorFlow.js (with stand-ins; test/runtimes/tfjs has the real one)');

/** Numbers that say their place. */
const counting: NonNullable<Parameters<typeof modelOf>[2]> = (_, byteLength) =>
  viewBytes(Float32Array.from({ length: byteLength / 4 }, (_, i) => i));

async function modelWith(...tensors: readonly [name: string, ...shape: number[]][]) {
  const all = tensors.map(([name, ...shape]): TestTensor => ({ name, dtype: 'F32', shape }));
  return openModel(await modelFileOf(modelOf(all, undefined, counting)));
}

/** As tensors and variables of the package. */
interface Value {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
  readonly dtype: string;
  disposed?: boolean;
  dispose(): void;
}

const tf = {
  tensor(data: ArrayLike<number>, shape: readonly number[], dtype: string): Value {
    const value: Value = {
      ...{ data: Array.from(data), shape, dtype },
      dispose() {
        value.disposed = true;
      },
    };
    return value;
  },
};

function layersOf(shapes: Record<string, readonly (number | null)[]>, dtype = 'float32') {
  const values = new Map<string, Value>();
  const weights = Object.entries(shapes).map(([originalName, shape]) => ({
    ...{ originalName, shape, dtype },
    write: (value: Value) => void values.set(originalName, value),
  }));
  return { network: { weights }, values };
}

async function load(...args: Parameters<typeof loadWeights>) {
  let last: { readonly quality: number; readonly complete: boolean } | undefined;
  for await (last of loadWeights(...args));
  await args[0].close();
  return last;
}

test('kernels of PyTorch become those of Keras: dense, convolution, depthwise convolution; others stay', async () => {
  const model = await modelWith(
    ['dense.weight', 2, 3],
    ['dense.bias', 2],
    ['conv.weight', 2, 3, 1, 2],
    ['deep.weight', 4, 1, 1, 2],
    ['table.weight', 3, 3],
    ['norm.weight', 2],
    ['norm.bias', 2],
    ['norm.running_mean', 2],
    ['norm.running_var', 2],
    ['norm.num_batches_tracked', 1],
  );
  const { network, values } = layersOf({
    'dense/kernel': [3, 2],
    'dense/bias': [2],
    'conv/kernel': [1, 2, 3, 2],
    'deep/depthwise_kernel': [1, 2, 2, 2],
    'table/embeddings': [3, 3],
    'norm/gamma': [2],
    'norm/beta': [2],
    'norm/moving_mean': [2],
    'norm/moving_variance': [2],
  });
  assert.equal(await load(model, { tf, network }), { quality: 1, complete: true });
  const data = (name: string) => values.get(name)!.data;
  assert.equal(data('dense/kernel'), [0, 3, 1, 4, 2, 5]);
  // [out, in, 1, width] at [0, width, in, out].
  assert.equal(data('conv/kernel'), [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]);
  assert.equal(data('deep/depthwise_kernel'), [0, 2, 4, 6, 1, 3, 5, 7]);
  assert.equal(values.get('deep/depthwise_kernel')!.shape, [1, 2, 2, 2]);
  assert.equal(data('table/embeddings'), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.ok([...values.values()].every(({ disposed }) => disposed));
});

test('tensors with the names of the weights stay as they are; `layout` and `weightName` decide otherwise', async () => {
  const open = () => modelWith(['fc/kernel', 2, 2]);
  const own = layersOf({ 'fc/kernel': [2, 2] });
  await load(await open(), { tf, network: own.network });
  assert.equal(own.values.get('fc/kernel')!.data, [0, 1, 2, 3]);
  await load(await open(), { tf, network: own.network, layout: 'torch' });
  assert.equal(own.values.get('fc/kernel')!.data, [0, 2, 1, 3]);
  const renamed = layersOf({ a: [2, null] });
  await load(await open(), { tf, network: renamed.network, weightName: () => 'a' });
  assert.equal(renamed.values.get('a')!.data, [0, 1, 2, 3]);
});

test('names, shapes and types that do not belong together are errors that name them', async () => {
  const model = await modelWith(['fc.weight', 2, 3], ['other', 2]);
  const refused = (shapes: Record<string, readonly number[]>, pattern: RegExp, dtype?: string) =>
    throws(
      () => loadWeights(model, { tf, network: layersOf(shapes, dtype).network }),
      ArgumentError,
      pattern,
    );
  refused({ 'fc/kernel': [3, 2] }, /none of these names: expected \[fc\/kernel\], got \[other\]/);
  refused({ 'fc/kernel': [3, 2], other: [2], third: [1] }, /no tensors for these.*\[third\]/);
  refused({ 'fc/kernel': [3, 4], other: [2] }, /another shape/);
  const network = layersOf({ 'fc/kernel': [3, 2], other: [2] }, 'int32').network;
  throws(() => loadWeights(model, { tf, network }), UnsupportedError, /another element type/);
  throws(
    () => loadWeights(model, { tf, network: { weights: {} } }),
    UnsupportedError,
    /keeps those of graphs/,
  );
  await model.close();
});

test('a graph: its tensors are replaced, and those before disposed of', async () => {
  const before = tf.tensor([0, 0], [2], 'float32');
  const executor: { weightMap: Record<string, Value[]> } = {
    weightMap: { w: [before], constant: [tf.tensor([1], [1], 'float32')] },
  };
  const network = {
    executor,
    get weights() {
      return executor.weightMap;
    },
  };
  await load(await modelWith(['w', 2]), { tf, network });
  assert.equal(executor.weightMap.w![0]!.data, [0, 1]);
  assert.ok(before.disposed);
  assert.not(executor.weightMap.constant![0]!.disposed);
});

test('ioHandler: the topology of model.json, with weights of the model in the order that it lists', async () => {
  const model = await modelWith(['fc.weight', 2, 3], ['fc.bias', 2]);
  const weights = [
    { name: 'fc/bias', shape: [2], dtype: 'float32', quantization: { dtype: 'uint8' } },
    { name: 'fc/kernel', shape: [3, 2], dtype: 'float32', group: 'model' },
  ];
  const modelJson = {
    format: 'layers-model',
    modelTopology: { a: 1 },
    weightsManifest: [{ paths: ['x'], weights }],
  };
  const { weightData, weightSpecs, ...others } = await ioHandler(model, { modelJson }).load();
  assert.equal(others, { format: 'layers-model', modelTopology: { a: 1 } });
  assert.equal(weightSpecs, [
    { name: 'fc/bias', shape: [2], dtype: 'float32' },
    { name: 'fc/kernel', shape: [3, 2], dtype: 'float32', group: 'model' },
  ]);
  assert.equal([...new Float32Array(weightData)], [0, 1, 0, 3, 1, 4, 2, 5]);
  const wrong = (json: object) => ioHandler(model, { modelJson: json as typeof modelJson }).load();
  await rejects(ioHandler(model, { modelJson: 'package.json' }).load(), FormatError, /no weightsManifest/);
  await rejects(wrong({ weightsManifest: [{ weights: [null] }] }), FormatError, /no name, shape or dtype/);
  await rejects(wrong({ weightsManifest: [{ weights: weights.slice(1) }] }), ArgumentError, /\[fc\.bias\]/);
  await model.close();
});

test.run();
