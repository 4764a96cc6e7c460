import { elementCount } from '../src/tensor/dtype.js';

/**
 * How tensors count in the quality of a model, and so in the order of a model file: 'balanced', each by the square root
 * of its elements; 'elements', each by its elements.
 */
export type TensorOrder = 'balanced' | 'elements';

/**
 * The weight of a tensor in the quality of a model. The error of a network's output is, to first order, the sum of the
 * relative errors of its layers, large or small, so a small layer counts more than its elements say, and a large matrix
 * still more than a small one. `docs/tasks.md` has the measurements.
 */
export function tensorWeight(shape: readonly number[], order: TensorOrder = 'balanced'): number {
  const elements = elementCount(shape);
  return order === 'elements' ? elements : Math.sqrt(elements);
}
