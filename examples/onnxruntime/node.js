import { readFile } from 'node:fs/promises';
import * as ort from 'onnxruntime-node';
import { improveFeeds, improveSessions } from './improve.js';

const { buffer } = new Uint8Array(await readFile('images.bin'));
const images = new Float32Array(buffer);
const labels = await readFile('labels.bin');
const data = { modelFile: 'digits.holo.safetensors', images, labels };

const feeds = await improveFeeds(ort, { ...data, graph: 'inputs.onnx' });
const sessions = await improveSessions(ort, { ...data, graph: await readFile('external.onnx') });
console.log(JSON.stringify({ feeds, sessions }, undefined, 2));
