/** What `calibrate` runs: an ONNX model of the weights of a safetensors file, and a runtime in a package of the test's own. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { npyOf } from '../../helpers/npyFiles.js';
import { externalTensor, graphOf, modelProto } from '../../helpers/onnxWriter.js';

/** Of a command in the folder that has the runtime. */
export const SAMPLE = 'sample.npy';

/** Sums of weights, each of some of them. */
const RUNTIME = `
class Tensor {
  constructor(type, data, dims) {
    Object.assign(this, { type, data, dims });
  }
}
async function create(graph, { externalData: [{ data }] }) {
  const copy = data.slice();
  const start = 8 + Number(new DataView(copy.buffer).getBigUint64(0, true));
  const weights = new Float32Array(copy.buffer.slice(start));
  const scores = new Float32Array(16);
  weights.forEach((weight, i) => { scores[i % 16] += (1 + (i % 7)) * weight; });
  return {
    inputNames: ['x'],
    outputNames: ['scores'],
    run: async () => ({ scores: new Tensor('float32', scores, [1, 16]) }),
    release: async () => {},
  };
}
module.exports = { Tensor, InferenceSession: { create } };
`;

/** Writes the runtime and a sample into a folder. */
export function installRuntime(folder: string): void {
  const path = join(folder, 'node_modules/onnxruntime-node/index.js');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, RUNTIME);
  writeFileSync(join(folder, SAMPLE), npyOf('f4', [1, 4], viewBytes(Float32Array.of(1, 2, 3, 4))));
}

/** Writes an ONNX model whose weights are those of a safetensors file beside it. */
export function writeNetwork(path: string, weights: string): void {
  const { tensors } = parseSafetensorsHeader(readFileSync(join(dirname(path), weights)));
  writeFileSync(path, modelProto(graphOf(tensors.map((tensor) => externalTensor(tensor, weights)))));
}
