import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadKernels } from '../../../../src/kernels/loadKernels.js';
import { fragmentPrefix, plainBytes } from '../../../helpers/modelPrefix.js';
import { charrnnTask, mnistTask, type Task } from '../../../helpers/tasks.js';

const kernels = await loadKernels();

const FRAGMENTS = 16;
/** Enough of the text to tell the weights apart; all of it takes long. */
const CHARACTERS = 2000;

/** How well a network does with all its bytes, and with these parts of them. */
function curve({ tensors, evaluate }: Task, parts: readonly number[]): { whole: number; at: number[] } {
  const prefix = fragmentPrefix(tensors, 'embedded', FRAGMENTS, kernels);
  const total = plainBytes(tensors);
  const at = parts.map((part) => {
    const { weights, used } = prefix(part * total);
    assert.ok(used <= part * total);
    return evaluate(weights);
  });
  return { whole: evaluate(new Map(tensors.map(({ name, data }) => [name, data]))), at };
}

test('a classifier of digits: 97 % right with 5 % of its bytes, 98 % with 8.5 %', () => {
  const { whole, at } = curve(mnistTask(), [0.05, 0.085]);
  assert.is(whole, 0.983);
  assert.ok(at[0]! >= 0.97, `${at[0]}`);
  assert.ok(at[1]! >= 0.98, `${at[1]}`);
});

test('a model of text: within 0.05 bits a character of the whole with 22 % of its bytes', () => {
  const { whole, at } = curve(charrnnTask(CHARACTERS), [0.22]);
  // 1.860 over all the text; this is its beginning.
  assert.ok(Math.abs(whole - 1.86) < 0.1, `${whole}`);
  assert.ok(at[0]! - whole <= 0.05, `${at[0]} of ${whole}`);
});

test.run();
