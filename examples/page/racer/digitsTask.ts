import { classify, forward, type Layer } from '../../digits/mlp.js';
import { layersOf } from '../../digits/model.js';
import { seededRandom } from '../../digits/random.js';
import { drawSamples, type Sample } from '../../digits/render.js';
import { TEST_SEED } from '../../digits/testSet.js';

/** Held-out images to classify after each step. */
export const SAMPLES = 200;
/** Of these, those whose answers the page shows. */
export const SHOWN = 40;
/** Images between two looks at what else there is to do: the load must go on. */
const BATCH = 25;

/** The held-out images, some at a time, because they take a while to draw. */
export function* heldOut(atOnce: number): Generator<Sample[], never, undefined> {
  const random = seededRandom(TEST_SEED);
  for (;;) yield drawSamples(atOnce, random);
}

/** How good the digits model is at a moment. */
export class DigitsTask {
  readonly #samples = heldOut(SAMPLES).next().value;
  #layers: readonly Layer[] = [];

  async evaluate(tensors: ReadonlyMap<string, { readonly data: unknown }>): Promise<{
    readonly accuracy: number;
    readonly answers: readonly number[];
  }> {
    const layers = layersOf(tensors);
    this.#layers = layers;
    const answers: number[] = [];
    for (const { image } of this.#samples) {
      if (answers.length % BATCH === 0) await new Promise((resolve) => setTimeout(resolve));
      answers.push(classify(layers, image));
    }
    const right = answers.filter((answer, i) => answer === this.#samples[i]!.label).length;
    return { accuracy: right / SAMPLES, answers: answers.slice(0, SHOWN) };
  }

  /** The probability of each digit; undefined before the model computes. */
  probabilities(image: Float32Array): Float32Array | undefined {
    if (this.#layers.length === 0) return undefined;
    const scores = forward(this.#layers, image);
    const highest = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - highest));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  }
}
