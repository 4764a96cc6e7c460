import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { accuracy } from '../../examples/digits/mlp.js';
import { layersOf, tensorsOf } from '../../examples/digits/model.js';
import { seededRandom } from '../../examples/digits/random.js';
import { drawSamples, PIXELS } from '../../examples/digits/render.js';
import { TEST_SEED, TEST_SIZE, testSet } from '../../examples/digits/testSet.js';
import { train } from '../../examples/digits/train.js';
import { readSafetensors } from '../../readers/safetensors.js';
import { bytesSource } from '../../sources/bytes.js';

const test = suite('digits model');

const folder = new URL('../../examples/digits/', import.meta.url);
const file = new Uint8Array(readFileSync(new URL('digits.safetensors', folder)));
const readme = readFileSync(new URL('README.md', folder), 'utf8');

const tensors = await readSafetensors(bytesSource(file));

test('the committed weights are as good, and as large, as their README says', () => {
  const measured = 100 * accuracy(layersOf(tensors), testSet());
  assert.is(`${measured.toFixed(2)} %`, /accuracy\s*\| ([\d.]+ %)/.exec(readme)?.[1]);
  assert.ok(measured >= 97);
  assert.is(String(file.length), /(\d+) bytes/.exec(readme)?.[1]);
  assert.ok(file.length < 1e6);
});

test('the task needs good weights: with two levels a weight, accuracy falls', () => {
  const coarse = layersOf(tensors).map((layer) => {
    const mean = layer.weight.reduce((sum, weight) => sum + Math.abs(weight), 0) / layer.weight.length;
    return { ...layer, weight: layer.weight.map((weight) => Math.sign(weight) * mean) };
  });
  const measured = accuracy(coarse, testSet());
  assert.is(measured, 0.246);
});

test('the same seed draws the same images; another seed others', () => {
  const [a, b, c] = [5, 5, 6].map((seed) => drawSamples(20, seededRandom(seed)));
  assert.equal(a, b);
  assert.not.equal(a, c);
  for (const { image } of a!) {
    assert.is(image.length, PIXELS);
    assert.ok(image.every((pixel) => pixel >= 0 && pixel <= 1));
  }
});

test('no held-out image is one that was trained on: their random numbers do not overlap', () => {
  const [images, heldOut] = /seeds\s*\| images (\d+), .*held-out images (\d+)/
    .exec(readme)!
    .slice(1)
    .map(BigInt);
  const trained = BigInt(/trained on\s*\| (\d+) images/.exec(readme)![1]!);
  assert.is(heldOut, BigInt(TEST_SEED));
  // The generator's state goes up by `step` with each number: so many numbers after one seed comes the other.
  const [cycle, step] = [2n ** 32n, 0x6d2b79f5n];
  const numbersBetween = (a: bigint, b: bigint) => BigInt.asUintN(32, (b - a) * inverse(step, cycle));
  // Two for each pixel's noise, and some for the strokes.
  const mostPerImage = 2n * BigInt(PIXELS) + 200n;
  assert.ok(numbersBetween(images!, heldOut!) > trained * mostPerImage);
  assert.ok(numbersBetween(heldOut!, images!) > BigInt(TEST_SIZE) * mostPerImage);
});

/** Of an odd number, modulo a power of two: Newton's iteration doubles the bits that are right. */
function inverse(odd: bigint, cycle: bigint): bigint {
  let guess = odd;
  for (let i = 0; i < 5; i++) guess = (guess * (2n - odd * guess)) % cycle;
  return guess;
}

test('training learns, and gives the same weights again', () => {
  const run = () => {
    const images = seededRandom(3);
    const losses: number[] = [];
    const layers = train((count) => drawSamples(count, images), seededRandom(4), {
      sizes: [PIXELS, 16, 10],
      steps: 120,
      batch: 32,
      rate: 0.005,
      shrink: 0.02,
      coarseness: 1,
      onStep: (_, loss) => losses.push(loss),
    });
    return { layers, losses };
  };
  const first = run();
  assert.equal(tensorsOf(first.layers), tensorsOf(run().layers));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(mean(first.losses.slice(-10)) < 0.75 * mean(first.losses.slice(0, 10)), `${first.losses}`);
});

test.run();
