import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { accuracy } from '../../../../examples/digits/mlp.js';
import { layersOf } from '../../../../examples/digits/model.js';
import { testSet } from '../../../../examples/digits/testSet.js';
import { embeddedCurve } from '../../../helpers/checks/embeddedCurve.js';
import { readTensors, TRAINED_FILES } from '../../../helpers/trained.js';

test('the digits model: 97 % right with 5 % of its bytes, 98 % with 8.5 %', () => {
  const samples = testSet();
  const tensors = readTensors('digits', TRAINED_FILES.digits).map((tensor) => ({
    ...tensor,
    name: tensor.name.slice('digits/'.length),
  }));
  const { whole, at } = embeddedCurve(
    {
      name: 'digits',
      tensors,
      evaluate: (weights) =>
        accuracy(layersOf(new Map(Array.from(weights, ([name, data]) => [name, { data }]))), samples),
    },
    [0.05, 0.085],
  );
  // As examples/digits/README.md says.
  assert.is(whole, 0.9865);
  assert.ok(at[0]! >= 0.97, `${at[0]}`);
  assert.ok(at[1]! >= 0.98, `${at[1]}`);
});

test.run();
