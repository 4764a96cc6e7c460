import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs';
import { improveLayers, improveLoaded } from './improve.js';

const { buffer } = new Uint8Array(await readFile('images.bin'));
const data = {
  modelFile: 'digits.holo.safetensors',
  images: new Float32Array(buffer),
  labels: await readFile('labels.bin'),
};
const outcome = {
  layers: await improveLayers(tf, data),
  layersModel: await improveLoaded(tf, tf.loadLayersModel, { ...data, modelJson: 'layers.json' }),
  graphModel: await improveLoaded(tf, tf.loadGraphModel, { ...data, modelJson: 'graph.json' }),
};
console.log(JSON.stringify({ ...outcome, tensors: tf.memory().numTensors }, undefined, 2));
