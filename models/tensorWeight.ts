import { elementCount } from '../src/tensor/dtype.js';

/**
 * How tensors count in the quality of a model, and so in the order of a model file: 'balanced', by what they are (see
 * {@link tensorWeight}); 'elements', each by its elements.
 */
export type TensorOrder = 'balanced' | 'elements';

/** Of a convolution with as many inputs for each output; others are relative to it. */
const CONVOLUTION = 1;
const USUAL_INPUTS = 128;
const MATRIX = 1 / 8;
/** Biases and norms: they are so short that they come early all the same. */
const VECTOR = 1 / 64;

/**
 * The weight of a tensor in the quality of a model. The error of a network's output is, to first order, a sum over its layers
 * of their relative squared errors, each times the layer's sensitivity, which does not grow with its size. Convolutions with few
 * inputs for each output, such as those of each channel alone, are more sensitive than those with many. In networks that have both, convolutions are several times as sensitive as matrices. A matrix with more rows than columns, such as an
 * embedding, counts more: each row is used alone. `docs/tasks.md` has the measurements.
 */
export function tensorWeight(shape: readonly number[], order: TensorOrder = 'balanced'): number {
  const elements = elementCount(shape);
  if (order === 'elements' || elements === 0) return elements;
  const [rows = 1, cols = 1] = shape;
  if (shape.length > 2) return CONVOLUTION * (USUAL_INPUTS / (elements / rows)) ** (1 / 4);
  if (shape.length < 2) return VECTOR;
  return MATRIX * Math.sqrt(Math.max(1, rows / cols));
}
