import { evaluationData, sigmoid, type Task, tensorsOf } from './task.js';

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

/** -log2 of the probability of a symbol under softmax. */
function surprise(scores: Float32Array, symbol: number): number {
  const top = Math.max(...scores);
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - top);
  return (Math.log(sum) + top - scores[symbol]!) / Math.LN2;
}
