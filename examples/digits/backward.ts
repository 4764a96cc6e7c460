import { activate, type Layer } from './mlp.js';
import type { Sample } from './render.js';

/** Memory for a layer's gradient. */
export function zeroLike({ inputs, outputs }: Layer): Layer {
  return { inputs, outputs, weight: new Float32Array(inputs * outputs), bias: new Float32Array(outputs) };
}

/** Adds one sample's part of the batch's mean gradient; returns its loss. */
export function backward(
  layers: readonly Layer[],
  gradients: readonly Layer[],
  sample: Sample,
  batch: number,
): number {
  const activations = [sample.image];
  for (const [i, layer] of layers.entries()) {
    activations.push(activate(layer, activations[i]!, i + 1 < layers.length));
  }
  const scores = activations.pop()!;
  const top = Math.max(...scores);
  const sum = scores.reduce((total, score) => total + Math.exp(score - top), 0);
  let error: Float32Array = scores.map(
    (score, i) => (Math.exp(score - top) / sum - (i === sample.label ? 1 : 0)) / batch,
  );
  for (let i = layers.length - 1; i >= 0; i--) {
    addGradient(gradients[i]!, activations[i]!, error);
    if (i > 0) error = errorBefore(layers[i]!, activations[i]!, error);
  }
  return Math.log(sum) - (scores[sample.label]! - top);
}

function addGradient(gradient: Layer, input: Float32Array, error: Float32Array): void {
  for (let row = 0; row < error.length; row++) {
    const e = error[row]!;
    if (e === 0) continue;
    gradient.bias[row]! += e;
    for (let col = 0, at = row * input.length; col < input.length; col++, at++) {
      gradient.weight[at]! += e * input[col]!;
    }
  }
}

/** The error of a layer's input: 0 where the preceding relu is 0. */
function errorBefore({ weight }: Layer, input: Float32Array, error: Float32Array): Float32Array {
  const before = new Float32Array(input.length);
  for (let row = 0; row < error.length; row++) {
    const e = error[row]!;
    if (e === 0) continue;
    for (let col = 0, at = row * input.length; col < input.length; col++, at++) {
      before[col]! += e * weight[at]!;
    }
  }
  return before.map((e, i) => (input[i]! > 0 ? e : 0));
}
