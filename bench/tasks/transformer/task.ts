/** What is kept of the transformer: its weights, and the text that it is measured by. */
import { readFileSync } from 'node:fs';
import { seededRandom } from '../../../examples/digits/random.js';
import { readTensors } from '../../../test/helpers/trained.js';
import type { MeasuredTask } from '../measuredTask.js';
import { sentences, take } from './language.js';
import { bitsPerWord, LENGTH, networkOf } from './network.js';

export const FILE = new URL('transformer.safetensors', import.meta.url);
export const LANGUAGE_SEED = 1;
const TEST_SEED = 20_260_101;
const SEQUENCES = 64;

/** Never seen in training, which draws from another seed. */
export function testSequences(): Uint16Array[] {
  const text = sentences(seededRandom(LANGUAGE_SEED), seededRandom(TEST_SEED));
  return Array.from({ length: SEQUENCES }, () => take(text, LENGTH + 1));
}

export function transformerTask(): MeasuredTask {
  const source = new Uint8Array(readFileSync(FILE));
  const sequences = testSequences();
  return {
    name: 'small transformer',
    bound: 'within 0.1 bits a word, 2,048 words',
    source,
    tensors: readTensors('', source).map((tensor) => ({ ...tensor, name: tensor.name.slice(1) })),
    evaluate: (weights) => bitsPerWord(networkOf(weights), sequences),
    limit: (whole) => whole + 0.1,
    better: 'less',
    most: 11,
  };
}
