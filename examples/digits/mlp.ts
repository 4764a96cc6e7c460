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

/** Samples that are scored together: each weight is read once for all of them. */
const TOGETHER = 4;

/** The fraction of samples that are classified correctly. */
export function accuracy(
  layers: readonly Layer[],
  samples: readonly { readonly image: Float32Array; readonly label: number }[],
): number {
  let right = 0;
  for (let start = 0; start < samples.length; start += TOGETHER) {
    const some = samples.slice(start, start + TOGETHER);
    const classes = classifyTogether(
      layers,
      some.map(({ image }) => image),
    );
    for (const [i, { label }] of some.entries()) if (classes[i] === label) right += 1;
  }
  return right / samples.length;
}

/** What `classify` says of up to four inputs, in half of its time. */
function classifyTogether(layers: readonly Layer[], inputs: readonly Float32Array[]): number[] {
  // Element i of all inputs, then element i + 1.
  let values = new Float64Array(TOGETHER * layers[0]!.inputs);
  for (const [lane, input] of inputs.entries()) {
    for (let i = 0; i < input.length; i++) values[TOGETHER * i + lane] = input[i]!;
  }
  for (const [i, layer] of layers.entries()) values = activateTogether(layer, values, i + 1 < layers.length);
  return inputs.map((_, lane) => {
    let best = lane;
    for (let at = lane; at < values.length; at += TOGETHER) if (values[at]! > values[best]!) best = at;
    return (best - lane) / TOGETHER;
  });
}

function activateTogether(
  { inputs, outputs, weight, bias }: Layer,
  values: Float64Array,
  relu: boolean,
): Float64Array<ArrayBuffer> {
  const out = new Float64Array(TOGETHER * outputs);
  const least = relu ? 0 : Number.NEGATIVE_INFINITY;
  // Two rows at a time: eight sums do not wait for each other. An odd last row is its own other one.
  for (let row = 0; row < outputs; row += 2) {
    const other = Math.min(row + 1, outputs - 1);
    let at = row * inputs;
    let otherAt = other * inputs;
    let a = bias[row]!;
    let [b, c, d] = [a, a, a];
    let e = bias[other]!;
    let [f, g, h] = [e, e, e];
    for (let i = 0; i < TOGETHER * inputs; i += TOGETHER, at++, otherAt++) {
      const w = weight[at]!;
      const otherW = weight[otherAt]!;
      const p = values[i]!;
      const q = values[i + 1]!;
      const r = values[i + 2]!;
      const s = values[i + 3]!;
      a += w * p;
      b += w * q;
      c += w * r;
      d += w * s;
      e += otherW * p;
      f += otherW * q;
      g += otherW * r;
      h += otherW * s;
    }
    for (const [lane, sum] of [a, b, c, d].entries()) out[TOGETHER * row + lane] = Math.max(sum, least);
    for (const [lane, sum] of [e, f, g, h].entries()) out[TOGETHER * other + lane] = Math.max(sum, least);
  }
  return out;
}
