import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { accuracy } from '../../examples/digits/mlp.js';
import { layersOf } from '../../examples/digits/model.js';
import { testSet } from '../../examples/digits/testSet.js';
import { parseModelFile } from '../../models/file/modelFile.js';
import { ModelTensorDecoder } from '../../models/file/tensorDecoder.js';
import { readSafetensorsHeaderBytes } from '../../readers/safetensors.js';
import { bytesSource } from '../../sources/bytes.js';
import { finish } from '../../src/async/steps.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { modelFileOf } from '../helpers/modelFiles.js';

const file = new Uint8Array(
  readFileSync(new URL('../../examples/digits/digits.safetensors', import.meta.url)),
);
const samples = testSet();
const kernels = await loadKernels();

/** What the model is worth with no more of its file than `bytes` bytes: headers count. */
async function worthAfter(model: Uint8Array, bytes: number): Promise<number> {
  const received = model.subarray(0, bytes);
  const { tensors } = parseModelFile(await readSafetensorsHeaderBytes(bytesSource(received)), model.length);
  const arrived = new Map<string, { readonly data: unknown }>();
  for (const tensor of tensors) {
    const decoder = new ModelTensorDecoder(tensor, kernels);
    for (const [number, { offset, length }] of tensor.pieces.entries()) {
      if (offset + length <= bytes) await decoder.add(number, received.subarray(offset, offset + length));
    }
    arrived.set(tensor.name, finish(decoder.reconstructingTensor())!);
  }
  return accuracy(layersOf(arrived), samples);
}

test('the digits model: 97 % right with 5 % of its bytes, 98 % with 8.5 %', async () => {
  // The default, and as many as the demo and the page take.
  for (const fragments of [8, 12, 32]) {
    const model = await modelFileOf(file, { encode: { fragments } });
    const [early, later] = [
      await worthAfter(model, Math.floor(0.05 * file.length)),
      await worthAfter(model, Math.floor(0.085 * file.length)),
    ];
    assert.ok(early >= 0.97, `${fragments} fragments: ${early}`);
    assert.ok(later >= 0.98, `${fragments} fragments: ${later}`);
  }
});

test.run();
