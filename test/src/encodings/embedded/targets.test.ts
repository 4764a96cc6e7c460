import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkEmbeddedCost, embeddedCost } from '../../../helpers/checks/embeddedCost.js';
import { readTensors, TRAINED_FILES } from '../../../helpers/trained.js';

const ALL = Object.entries(TRAINED_FILES).flatMap(([file, bytes]) => readTensors(file, bytes));
/** Matrices and more that are large enough for headers not to decide. */
const LARGE = ALL.filter(({ shape, data }) => shape.length >= 2 && data.length >= 60000);

test('bits a weight until the cosine reaches 0.9, 0.99 and 0.999, and of the whole', () => {
  assert.is(LARGE.length, 3);
  checkEmbeddedCost(LARGE, {
    until: [
      { mean: 0.325, worst: 0.443 },
      { mean: 1.52, worst: 1.575 },
      { mean: 3.1, worst: 3.33 },
    ],
    bf16: 10.15,
    f32: 23.75,
  });
});

test('every tensor comes back bit for bit', () => {
  for (const tensor of ALL) if (!LARGE.includes(tensor)) embeddedCost(tensor.name, tensor);
});

test.run();
