/**
 * Trains the transformer of the tasks and writes `transformer.safetensors`; takes some minutes.
 * usage: node --import tsx bench/tasks/transformer/train.ts
 */
import { writeFileSync } from 'node:fs';
import { Adam } from '../../../examples/digits/adam.js';
import { seededRandom } from '../../../examples/digits/random.js';
import { safetensorsOf } from '../onnx.js';
import { sentences, take } from './language.js';
import { bitsPerWord, LENGTH, networkOf, SHAPES } from './network.js';
import { Tape } from './tape.js';
import { FILE, LANGUAGE_SEED, testSequences } from './task.js';

const [WEIGHT_SEED, TEXT_SEED] = [2, 3];
const STEPS = 600;
const BATCH = 8;
const RATE = 0.004;

const random = seededRandom(WEIGHT_SEED);
const weights = new Map(
  Array.from(SHAPES, ([name, [rows, cols]]) => {
    const deviation = name === 'embedding' || name === 'positions' ? 0.1 : 1 / Math.sqrt(cols);
    return [
      name,
      Float32Array.from({ length: rows * cols }, () => (rows === 1 ? 1 : deviation * random.normal())),
    ];
  }),
);
const network = networkOf(weights);
const optimizers = Array.from(network.values(), ({ data, gradient }) => new Adam(data, gradient, 0));
const text = sentences(seededRandom(LANGUAGE_SEED), seededRandom(TEXT_SEED));
for (let step = 1; step <= STEPS; step++) {
  const tape = new Tape();
  const bits = bitsPerWord(
    network,
    Array.from({ length: BATCH }, () => take(text, LENGTH + 1)),
    tape,
  );
  tape.backwards();
  const rate = (RATE * Math.min(1, step / 50) * (1 + Math.cos((Math.PI * step) / STEPS))) / 2;
  for (const optimizer of optimizers) optimizer.step(step, rate);
  if (step % 50 === 0) console.log(`step ${step} of ${STEPS}: ${bits.toFixed(3)} bits a word`);
}
const tensors = Array.from(SHAPES, ([name, shape]) => ({ name, shape, data: weights.get(name)! }));
writeFileSync(FILE, safetensorsOf(tensors));
console.log(`${bitsPerWord(network, testSequences()).toFixed(3)} bits a word of a text that it has not seen`);
