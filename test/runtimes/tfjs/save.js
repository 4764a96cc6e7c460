/** Saves a network in shards, in the folder `saved`, and with weights in fewer bits in `quantized`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';

const network = tf.sequential({
  layers: [
    tf.layers.dense({ units: 20, inputShape: [12], activation: 'relu', name: 'first' }),
    tf.layers.batchNormalization({ name: 'norm', center: false, scale: false }),
    tf.layers.dense({ units: 70, name: 'last' }),
  ],
});

const QUANTIZATIONS = [
  { dtype: 'uint8', scale: 0.007, min: -0.9 },
  { dtype: 'uint16', scale: 0.00003, min: -1 },
  { dtype: 'float16' },
];

await network.save(
  tf.io.withSaveHandler(async (artifacts) => {
    write(
      'saved',
      artifacts,
      artifacts.weightSpecs,
      new Uint8Array(tf.io.CompositeArrayBuffer.join(artifacts.weightData)),
    );
    // TensorFlow.js reads quantized weights, and its converter writes them.
    const specs = artifacts.weightSpecs.map((spec, i) => ({ ...spec, quantization: QUANTIZATIONS[i % 3] }));
    const size = specs.reduce(
      (sum, { shape, quantization: { dtype } }) =>
        sum + shape.reduce((product, length) => product * length, 1) * (dtype === 'uint8' ? 1 : 2),
      0,
    );
    // Half precision numbers that are finite.
    write(
      'quantized',
      artifacts,
      specs,
      Uint8Array.from({ length: size }, (_, i) => (i * 7) % 59),
    );
    return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
  }),
);

function write(folder, artifacts, weights, bytes) {
  mkdirSync(folder);
  const middle = Math.ceil(bytes.length / 2) + 1;
  const shards = {
    'group1-shard1of2.bin': bytes.subarray(0, middle),
    'group1-shard2of2.bin': bytes.subarray(middle),
  };
  for (const [name, shard] of Object.entries(shards)) writeFileSync(`${folder}/${name}`, shard);
  const { modelTopology, format, generatedBy, convertedBy } = artifacts;
  const weightsManifest = [{ paths: Object.keys(shards), weights }];
  const json = { modelTopology, format, generatedBy, convertedBy, weightsManifest };
  writeFileSync(`${folder}/model.json`, JSON.stringify(json));
}
