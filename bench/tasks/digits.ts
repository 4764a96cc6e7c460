import { accuracy } from '../../examples/digits/mlp.js';
import { layersOf } from '../../examples/digits/model.js';
import { testSet } from '../../examples/digits/testSet.js';
import { readTensors, TRAINED_FILES } from '../../test/helpers/trained.js';
import type { MeasuredTask } from './measuredTask.js';

const IMAGES = 500;

/** The model of the examples, which was trained to work while it arrives. */
export function digitsTask(): MeasuredTask {
  const source = TRAINED_FILES.digits;
  const images = testSet().slice(0, IMAGES);
  return {
    name: 'digits',
    bound: '97 % of 500 right',
    source,
    tensors: readTensors('', source).map((tensor) => ({ ...tensor, name: tensor.name.slice(1) })),
    evaluate: (weights) =>
      accuracy(layersOf(new Map(Array.from(weights, ([name, data]) => [name, { data }]))), images),
    limit: () => 0.97,
    better: 'more',
    most: 2.75,
  };
}
