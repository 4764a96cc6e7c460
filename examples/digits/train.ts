import { activate, type Layer } from './mlp.js';
import type { Random } from './random.js';
import type { Sample } from './render.js';

export interface TrainOptions {
  /** Neurons of each layer, the input first, the classes last. */
  readonly sizes: readonly number[];
  readonly steps: number;
  readonly batch: number;
  /** Adam's step size at the start; it falls to nothing along a half cosine. */
  readonly rate: number;
  /** Each step takes this part of `rate` off every weight (Loshchilov and Hutter, 2019). */
  readonly decay: number;
  /** Called after each step with the mean loss of its batch. */
  readonly onStep?: (step: number, loss: number) => void;
}

/**
 * Trains a perceptron with cross-entropy and AdamW, on a fresh batch each step. Deterministic: the same `random`
 * and the same batches give the same weights, bit for bit, on one JavaScript engine.
 */
export function train(nextBatch: (size: number) => Sample[], random: Random, options: TrainOptions): Layer[] {
  const { sizes, steps, batch, rate, decay, onStep } = options;
  const layers = sizes.slice(1).map((outputs, i) => initialLayer(sizes[i]!, outputs, random));
  const gradients = layers.map(zeroLike);
  const optimizers = layers.flatMap((layer, i) => [
    new AdamW(layer.weight, gradients[i]!.weight, decay),
    new AdamW(layer.bias, gradients[i]!.bias, 0),
  ]);
  for (let step = 1; step <= steps; step++) {
    let loss = 0;
    for (const sample of nextBatch(batch)) loss += backward(layers, gradients, sample, batch);
    const current = (rate * (1 + Math.cos((Math.PI * step) / steps))) / 2;
    for (const optimizer of optimizers) optimizer.step(step, current);
    onStep?.(step, loss / batch);
  }
  return layers;
}

/** He and others, 2015: keeps the variance of the activations through relu layers. */
function initialLayer(inputs: number, outputs: number, random: Random): Layer {
  const deviation = Math.sqrt(2 / inputs);
  const weight = Float32Array.from({ length: inputs * outputs }, () => deviation * random.normal());
  return { inputs, outputs, weight, bias: new Float32Array(outputs) };
}

function zeroLike({ inputs, outputs }: Layer): Layer {
  return { inputs, outputs, weight: new Float32Array(inputs * outputs), bias: new Float32Array(outputs) };
}

/** Adds one sample's part of the batch's mean gradient; returns its loss. */
function backward(
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

/** The error of a layer's input: 0 where the relu before it was shut. */
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

/** Kingma and Ba, 2015, with their usual constants, and decoupled weight decay. */
class AdamW {
  readonly #values: Float32Array;
  readonly #gradient: Float32Array;
  readonly #decay: number;
  readonly #mean: Float32Array;
  readonly #square: Float32Array;

  constructor(values: Float32Array, gradient: Float32Array, decay: number) {
    this.#values = values;
    this.#gradient = gradient;
    this.#decay = decay;
    this.#mean = new Float32Array(values.length);
    this.#square = new Float32Array(values.length);
  }

  /** Moves the values against the gradient, which it clears. */
  step(step: number, rate: number): void {
    const [values, gradient, mean, square] = [this.#values, this.#gradient, this.#mean, this.#square];
    const meanScale = 1 / (1 - 0.9 ** step);
    const squareScale = 1 / (1 - 0.999 ** step);
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i]!;
      mean[i] = 0.9 * mean[i]! + 0.1 * g;
      square[i] = 0.999 * square[i]! + 0.001 * g * g;
      const move = (mean[i]! * meanScale) / (Math.sqrt(square[i]! * squareScale) + 1e-8);
      values[i]! -= rate * (move + this.#decay * values[i]!);
      gradient[i] = 0;
    }
  }
}
