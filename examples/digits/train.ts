import { Adam } from './adam.js';
import { backward, zeroLike } from './backward.js';
import { coarsened } from './coarsened.js';
import type { Layer } from './mlp.js';
import type { Random } from './random.js';
import type { Sample } from './render.js';

export interface TrainOptions {
  /** Neurons of each layer, the input first, the classes last. */
  readonly sizes: readonly number[];
  readonly steps: number;
  readonly batch: number;
  /** Adam's step size at the start; it falls to nothing along a half cosine. */
  readonly rate: number;
  /** Each step moves every weight of the hidden layers towards 0 by this part of `rate`, not past 0. */
  readonly shrink: number;
  /**
   * Each step sees the weights of the hidden layers in multiples of an interval, drawn anew between 0 and this many
   * times their root mean square: what fragments that have not arrived leave of them.
   */
  readonly coarseness: number;
  /** Called after each step with the mean loss of its batch. */
  readonly onStep?: (step: number, loss: number) => void;
}

/**
 * Trains a perceptron with cross-entropy and Adam, on a new batch per step, to work while it arrives. `coarseness` trains it
 * to work with the high bits of its weights; `shrink` leaves few large weights (an L1 penalty: Tibshirani, 1996), which
 * arrive first and matter most. The last layer is small and arrives whole.
 *
 * Deterministic: the same `random` and the same batches give the same weights, bit for bit, on one JavaScript engine.
 */
export function train(nextBatch: (size: number) => Sample[], random: Random, options: TrainOptions): Layer[] {
  const { sizes, steps, batch, rate, shrink, coarseness, onStep } = options;
  const layers = sizes.slice(1).map((outputs, i) => initialLayer(sizes[i]!, outputs, random));
  const last = layers.length - 1;
  const gradients = layers.map(zeroLike);
  const optimizers = layers.flatMap((layer, i) => [
    new Adam(layer.weight, gradients[i]!.weight, i < last ? shrink : 0),
    new Adam(layer.bias, gradients[i]!.bias, 0),
  ]);
  for (let step = 1; step <= steps; step++) {
    // Rounding has no slope: the gradient for the rounded weights moves the exact ones (Bengio and others, 2013).
    const seen = layers.map((layer, i) => {
      return i < last ? { ...layer, weight: coarsened(layer.weight, coarseness * random.next()) } : layer;
    });
    let loss = 0;
    for (const sample of nextBatch(batch)) loss += backward(seen, gradients, sample, batch);
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
