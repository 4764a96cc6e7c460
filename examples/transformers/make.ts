/**
 * Writes what the example reads: a tiny model as transformers.js loads it from a hub (configuration, tokenizer, graph), in the
 * folder `tiny`, with a model file in place of its weights.
 * usage: node --import tsx examples/transformers/make.ts FOLDER
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bytesSource, encodeModelFile, memorySink, memoryStagingStore, openForeignModel } from 'holostream';
import { tinyModel } from '../../test/helpers/tinyModel.js';

const { 'onnx/model.onnx': onnx, ...others } = tinyModel();
// As `holostream encode model.onnx -o onnx/ --weights-name model.onnx_data` does.
const options = { name: 'model.onnx', weightsName: 'model.onnx_data' };
const { files: weights, beside } = await openForeignModel(bytesSource(onnx), options);
const encoded = memorySink();
await encodeModelFile(weights, encoded, memoryStagingStore());
const [graph] = beside;

const files = {
  ...others,
  'onnx/model.onnx': await graph!.source.read(0, graph!.source.size!),
  'onnx/model.holo.safetensors': encoded.bytes,
};
for (const [name, content] of Object.entries(files)) {
  const path = join(process.argv[2] ?? '.', 'tiny', name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
