/**
 * Writes what the example reads: the digits model as a model file, the graph with its weights as inputs and as external data,
 * images and what they are.
 * usage: node --import tsx examples/onnxruntime/make.ts FOLDER
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesSource, encodeModelFile, memorySink, memoryStagingStore, viewBytes } from 'holostream';
import { parseSafetensorsHeader } from 'holostream/formats';
import { perceptron } from '../../test/helpers/onnxWriter.js';
import { testSet } from '../digits/testSet.js';

const folder = process.argv[2] ?? '.';
const original = readFileSync(new URL('../digits/digits.safetensors', import.meta.url));
const { tensors } = parseSafetensorsHeader(original);
const samples = testSet();
const encoded = memorySink();
const inputs = [{ name: 'digits.safetensors', source: bytesSource(original) }];
await encodeModelFile(inputs, encoded, memoryStagingStore());

mkdirSync(folder, { recursive: true });
const files = {
  'digits.holo.safetensors': encoded.bytes,
  'inputs.onnx': perceptron(tensors),
  'external.onnx': perceptron(tensors, 'digits.safetensors'),
  'images.bin': viewBytes(Float32Array.from(samples.flatMap(({ image }) => [...image]))),
  'labels.bin': Uint8Array.from(samples, ({ label }) => label),
};
for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
