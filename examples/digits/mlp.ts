/** A multi-layer perceptron: y = relu(W x + b) per layer, the last layer without the relu. */

export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** outputs × inputs, row-major. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** The scores of the classes for one input. */
export function forward(layers: readonly Layer[], input: Float32Array): Float32Array {
  return layers.reduce((values, layer, i) => activate(layer, values, i + 1 < layers.length), input);
}

/** One layer's outputs. */
export function activate(
  { inputs, outputs, weight, bias }: Layer,
  input: Float32Array,
  relu: boolean,
): Float32Array {
  const values = new Float32Array(outputs);
  for (let row = 0; row < outputs; row++) {
    const sum = bias[row]! + dot(weight, row * inputs, input);
    values[row] = relu ? Math.max(sum, 0) : sum;
  }
  return values;
}

/** Four independent sums, so that no addition waits for the previous one. Elements of one array would take twice the time. */
function dot(weight: Float32Array, start: number, input: Float32Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (let at = start; i + 4 <= input.length; i += 4, at += 4) {
    a += weight[at]! * input[i]!;
    b += weight[at + 1]! * input[i + 1]!;
    c += weight[at + 2]! * input[i + 2]!;
    d += weight[at + 3]! * input[i + 3]!;
  }
  for (; i < input.length; i++) a += weight[start + i]! * input[i]!;
  return a + b + c + d;
}

export function classify(layers: readonly Layer[], input: Float32Array): number {
  const scores = forward(layers, input);
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  return best;
}

/** The fraction of samples that are classified correctly. */
export function accuracy(
  layers: readonly Layer[],
  samples: readonly { readonly image: Float32Array; readonly label: number }[],
): number {
  let right = 0;
  for (const { image, label } of samples) if (classify(layers, image) === label) right += 1;
  return right / samples.length;
}
