/**
 * Writes what the example reads: the digits model as a model file, a network of layers and a graph without weights, images and what
 * they are.
 * usage: node --import tsx examples/tfjs/make.ts FOLDER
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesSource, encodeModelFile, memorySink, memoryStagingStore, viewBytes } from 'holostream';
import { testSet } from '../digits/testSet.js';

const folder = process.argv[2] ?? '.';
const original = readFileSync(new URL('../digits/digits.safetensors', import.meta.url));
const samples = testSet().slice(0, 300);
const encoded = memorySink();
const inputs = [{ name: 'digits.safetensors', source: bytesSource(original) }];
await encodeModelFile(inputs, encoded, memoryStagingStore());

const SHAPES = { 'fc1/kernel': [784, 192], 'fc1/bias': [192], 'fc2/kernel': [192, 10], 'fc2/bias': [10] };
const weights = Object.entries(SHAPES).map(([name, shape]) => ({ name, shape, dtype: 'float32' }));
// The shards do not exist: the weights are those of the model file.
const weightsManifest = [{ paths: ['group1-shard1of1.bin'], weights }];

const dense = (name: string, units: number, activation: string, others = {}) => ({
  class_name: 'Dense',
  config: { name, units, activation, use_bias: true, ...others },
});
const layers = {
  format: 'layers-model',
  modelTopology: {
    class_name: 'Sequential',
    config: {
      name: 'digits',
      layers: [
        dense('fc1', 192, 'relu', { batch_input_shape: [null, 784], dtype: 'float32' }),
        dense('fc2', 10, 'linear'),
      ],
    },
  },
  weightsManifest,
};

const float = { T: { type: 'DT_FLOAT' } };
const node = (name: string, op: string, input: readonly string[] = [], attr = {}) => ({
  name,
  op,
  input,
  attr,
});
const graph = {
  format: 'graph-model',
  modelTopology: {
    node: [
      node('images', 'Placeholder', [], {
        dtype: { type: 'DT_FLOAT' },
        shape: { shape: { dim: [{ size: '-1' }, { size: '784' }] } },
      }),
      ...weights.map(({ name }) => node(name, 'Const', [], { dtype: { type: 'DT_FLOAT' } })),
      node('product', 'MatMul', ['images', 'fc1/kernel'], float),
      node('sum', 'BiasAdd', ['product', 'fc1/bias'], float),
      node('hidden', 'Relu', ['sum'], float),
      node('scores/product', 'MatMul', ['hidden', 'fc2/kernel'], float),
      node('scores', 'BiasAdd', ['scores/product', 'fc2/bias'], float),
    ],
    versions: { producer: 440 },
  },
  weightsManifest,
};

mkdirSync(folder, { recursive: true });
const files = {
  'digits.holo.safetensors': encoded.bytes,
  'layers.json': JSON.stringify(layers),
  'graph.json': JSON.stringify(graph),
  'images.bin': viewBytes(Float32Array.from(samples.flatMap(({ image }) => [...image]))),
  'labels.bin': Uint8Array.from(samples, ({ label }) => label),
};
for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
