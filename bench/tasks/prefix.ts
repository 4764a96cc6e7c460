/** The quality of the first bytes of a model file. */
import { readModelFile } from '../../models/file/modelFile.js';
import { ModelTensorDecoder } from '../../models/file/tensorDecoder.js';
import { bytesSource } from '../../sources/bytes.js';
import { finish } from '../../src/async/steps.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { elementCount } from '../../src/tensor/dtype.js';
import type { Weights } from '../../test/helpers/tasks/task.js';

/** The weights that the first `bytes` bytes of a model file of F32 tensors bring; what has not arrived is 0. */
export async function weightsOfPrefix(file: Uint8Array, bytes: number): Promise<Weights> {
  const kernels = await loadKernels(['xxh3']);
  const { tensors } = await readModelFile(bytesSource(file));
  const weights = new Map<string, Float32Array>();
  for (const tensor of tensors) {
    const decoder = new ModelTensorDecoder(tensor, kernels);
    for (const [number, { offset, length }] of tensor.pieces.entries()) {
      if (offset + length > bytes) break;
      await decoder.add(number, file.subarray(offset, offset + length));
    }
    if (tensor.dtype !== 'F32') continue;
    const best = finish(decoder.reconstructing()) ?? finish(decoder.reconstructingTensor())?.data;
    weights.set(tensor.name, (best as Float32Array) ?? new Float32Array(elementCount(tensor.shape)));
  }
  return weights;
}
