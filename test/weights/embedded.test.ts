import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkEmbeddedCost, embeddedCost } from '../helpers/checks/embeddedCost.js';
import { checkReferenceDecoder } from '../helpers/checks/embeddedReference.js';
import { readWeight, readWeights, WEIGHT_FILES } from '../helpers/weights.js';

/** Matrices and more that are large enough for headers not to decide. */
const TENSORS = WEIGHT_FILES.flatMap((file) => readWeights(file)).filter(
  ({ shape, data }) => shape.length >= 2 && data.length >= 60000,
);

test('bits a weight until the cosine reaches 0.9, 0.99 and 0.999, and of the whole', () => {
  assert.is(TENSORS.length, 19);
  checkEmbeddedCost(TENSORS, {
    until: [
      { mean: 1.38, worst: 1.58 },
      { mean: 3.04, worst: 3.285 },
      { mean: 4.73, worst: 4.96 },
    ],
    bf16: 10.591,
    f32: 26.562,
  });
});

test('every tensor comes back bit for bit', () => {
  for (const file of WEIGHT_FILES) {
    for (const tensor of readWeights(file)) if (tensor.data.length < 60000) embeddedCost(tensor.name, tensor);
  }
});

test('a decoder written from the format document agrees', () => {
  checkReferenceDecoder(readWeight('silero-vad-16k', 'stft_conv.weight').data.subarray(20000, 20000 + 9000));
});

test.run();
