/** Compares what a network has become with what TensorFlow.js reads. Usage: compare.js FOLDER */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { openModel } from 'holostream';
import { ioHandler } from 'holostream/tfjs';

const [folder] = process.argv.slice(2);
const { modelTopology, weightsManifest } = JSON.parse(readFileSync(`${folder}/model.json`, 'utf8'));
const [{ paths, weights: weightSpecs }] = weightsManifest;
const weightData = new Uint8Array(Buffer.concat(paths.map((path) => readFileSync(`${folder}/${path}`))))
  .buffer;
const expected = tf.io.decodeWeights(weightData, weightSpecs);

const model = await openModel(`${folder}.holo.safetensors`);
const loaded = await model.load();
const same = weightSpecs.every(({ name }) => {
  const [data, own] = [expected[name].dataSync(), loaded.get(name)];
  return own.data.every((value, i) => Object.is(value, data[i])) && own.data.length === data.length;
});

const original = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
const streamed = await tf.loadLayersModel(ioHandler(model, { modelJson: `${folder}/model.json` }));
const input = tf.linspace(-1, 1, 36).reshape([3, 12]);
const [one, other] = [original, streamed].map((network) => network.predict(input).dataSync());
const outputs = one.every((value, i) => Object.is(value, other[i]));
console.log(JSON.stringify({ weights: loaded.size, same, outputs }));
await model.close();
