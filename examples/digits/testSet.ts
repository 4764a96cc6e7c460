import { seededRandom } from './random.js';
import { drawSamples, type Sample } from './render.js';

/** Never used in training: `scripts/trainDigits.ts` draws from other seeds. */
export const TEST_SEED = 20_260_101;
export const TEST_SIZE = 2000;

/** The held-out images: drawn again each time, always the same. */
export function testSet(): Sample[] {
  return drawSamples(TEST_SIZE, seededRandom(TEST_SEED));
}
