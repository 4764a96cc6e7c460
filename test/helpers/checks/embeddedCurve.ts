import * as assert from 'uvu/assert';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { fragmentPrefix, plainBytes } from '../modelPrefix.js';
import type { Task } from '../tasks/task.js';

const FRAGMENTS = 16;
const kernels = await loadKernels();

/** How well a network does with all its bytes, and with these parts of them. */
export function embeddedCurve(
  { tensors, evaluate }: Task,
  parts: readonly number[],
): { whole: number; at: number[] } {
  const prefix = fragmentPrefix(tensors, 'embedded', FRAGMENTS, kernels);
  const total = plainBytes(tensors);
  const at = parts.map((part) => {
    const { weights, used } = prefix(part * total);
    assert.ok(used <= part * total);
    return evaluate(weights);
  });
  return { whole: evaluate(new Map(tensors.map(({ name, data }) => [name, data]))), at };
}
