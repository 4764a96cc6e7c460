/** What real weights are for: two networks, evaluated as they were when their provenance was written down. */
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { type EvaluationFile, readWeightFile, readWeights } from './weights.js';

export type Weights = ReadonlyMap<string, Float32Array>;

export interface Task {
  readonly name: string;
  /** The network's tensors as they are. */
  readonly tensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly data: Float32Array;
  }[];
  /** How well the network does its work with these weights in place of its own. */
  evaluate(weights: Weights): number;
}

function tensorsOf(file: 'mnist-mlp-ggml' | 'charrnn-bronte'): Task['tensors'] {
  return readWeights(file).map((tensor) => ({ ...tensor, name: tensor.name.slice(file.length + 1) }));
}

function evaluationData(file: EvaluationFile): Map<string, Uint8Array> {
  const bytes = readWeightFile(file);
  return new Map(
    parseSafetensorsHeader(bytes).tensors.map(({ name, offset, byteLength }) => [
      name,
      bytes.subarray(offset, offset + byteLength),
    ]),
  );
}

const PIXELS = 784;
const HIDDEN = 500;
const DIGITS = 10;

/** Part of the images of handwritten digits that are named right: x/255 → fc1 → ReLU → fc2. Whole weights: 0.983. */
export function mnistTask(): Task {
  const data = evaluationData('eval-mnist-t10k-1000');
  const images = Float32Array.from(data.get('images')!, (pixel) => pixel / 255);
  const labels = data.get('labels')!;
  return {
    name: 'mnist-mlp-ggml',
    tensors: tensorsOf('mnist-mlp-ggml'),
    evaluate(weights) {
      let right = 0;
      for (let i = 0; i < labels.length; i++) {
        const image = images.subarray(PIXELS * i, PIXELS * (i + 1));
        const hidden = layer(image, weights.get('fc1.weight')!, weights.get('fc1.bias')!, HIDDEN);
        const scores = layer(
          hidden.map((value) => Math.max(0, value)),
          weights.get('fc2.weight')!,
          weights.get('fc2.bias')!,
          DIGITS,
        );
        if (scores.indexOf(Math.max(...scores)) === labels[i]) right += 1;
      }
      return right / labels.length;
    },
  };
}

/** W x + b, W row-major. */
function layer(x: Float32Array, weight: Float32Array, bias: Float32Array, outputs: number): Float32Array {
  return Float32Array.from({ length: outputs }, (_, o) => {
    let sum = bias[o]!;
    for (let i = 0; i < x.length; i++) sum += weight[o * x.length + i]! * x[i]!;
    return sum;
  });
}

const UNITS = 128;
const GATES = 4 * UNITS;
const VOCABULARY = 108;
const CELL = 'rnnlm/multi_rnn_cell/cell_';

/**
 * Bits a character that a two-layer LSTM (gates in the order input, new, forget, output; forget bias 1) needs for a
 * text. Whole weights: 1.860 over all 20,000 characters.
 */
export function charrnnTask(characters = 20000): Task {
  const ids = evaluationData('eval-charrnn-bronte').get('ids')!.subarray(0, characters);
  return {
    name: 'charrnn-bronte',
    tensors: tensorsOf('charrnn-bronte'),
    evaluate(weights) {
      const cells = [0, 1].map(() => ({ h: new Float32Array(UNITS), c: new Float32Array(UNITS) }));
      const embedding = weights.get('embedding')!;
      let bits = 0;
      for (let t = 0; t + 1 < ids.length; t++) {
        let x = embedding.subarray(UNITS * ids[t]!, UNITS * (ids[t]! + 1));
        for (const [k, cell] of cells.entries()) {
          const name = `${CELL}${k}/basic_lstm_cell`;
          lstmStep(x, cell, weights.get(`${name}/kernel`)!, weights.get(`${name}/bias`)!);
          x = cell.h;
        }
        const scores = product(
          x,
          weights.get('rnnlm/softmax_w')!,
          weights.get('rnnlm/softmax_b')!,
          VOCABULARY,
        );
        bits += surprise(scores, ids[t + 1]!);
      }
      return bits / (ids.length - 1);
    },
  };
}

/** x W + b, W with a row an input. */
function product(x: Float32Array, weight: Float32Array, bias: Float32Array, outputs: number): Float32Array {
  const sums = bias.slice();
  addProduct(sums, x, weight, 0, outputs);
  return sums;
}

function addProduct(
  sums: Float32Array,
  x: Float32Array,
  weight: Float32Array,
  row: number,
  outputs: number,
): void {
  for (let i = 0; i < x.length; i++) {
    const scale = x[i]!;
    const start = (row + i) * outputs;
    for (let o = 0; o < outputs; o++) sums[o]! += scale * weight[start + o]!;
  }
}

function lstmStep(
  x: Float32Array,
  { h, c }: { h: Float32Array; c: Float32Array },
  kernel: Float32Array,
  bias: Float32Array,
): void {
  const gates = bias.slice();
  addProduct(gates, x, kernel, 0, GATES);
  addProduct(gates, h, kernel, x.length, GATES);
  for (let u = 0; u < UNITS; u++) {
    const input = sigmoid(gates[u]!);
    const fresh = Math.tanh(gates[UNITS + u]!);
    const forget = sigmoid(gates[2 * UNITS + u]! + 1);
    c[u] = c[u]! * forget + input * fresh;
    h[u] = Math.tanh(c[u]!) * sigmoid(gates[3 * UNITS + u]!);
  }
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** -log2 of the probability of a symbol under softmax. */
function surprise(scores: Float32Array, symbol: number): number {
  const top = Math.max(...scores);
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - top);
  return (Math.log(sum) + top - scores[symbol]!) / Math.LN2;
}
