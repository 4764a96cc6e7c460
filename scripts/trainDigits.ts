/** Trains the digits model and writes `examples/digits/digits.safetensors`; prints the figures for its README. */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { accuracy } from '../examples/digits/mlp.js';
import { tensorsOf } from '../examples/digits/model.js';
import { seededRandom } from '../examples/digits/random.js';
import { drawSamples, PIXELS } from '../examples/digits/render.js';
import { TEST_SEED, TEST_SIZE, testSet } from '../examples/digits/testSet.js';
import { train } from '../examples/digits/train.js';
import { serializeSafetensorsHeader } from '../src/safetensors/serialize.js';
import type { Tensor } from '../src/tensor/tensor.js';

const IMAGE_SEED = 1;
const WEIGHT_SEED = 2;
const SIZES = [PIXELS, 192, 10];
const STEPS = 6000;
const BATCH = 64;
const FILE = fileURLToPath(new URL('../examples/digits/digits.safetensors', import.meta.url));

const started = performance.now();
const images = seededRandom(IMAGE_SEED);
const layers = train((count) => drawSamples(count, images), seededRandom(WEIGHT_SEED), {
  sizes: SIZES,
  steps: STEPS,
  batch: BATCH,
  rate: 0.004,
  shrink: 0.02,
  coarseness: 1,
  onStep: (step, loss) => {
    if (step % 500 === 0) console.log(`step ${step} of ${STEPS}: loss ${loss.toFixed(3)}`);
  },
});
const bytes = toSafetensors(tensorsOf(layers));
writeFileSync(FILE, bytes);

const parameters = layers.reduce((sum, { weight, bias }) => sum + weight.length + bias.length, 0);
console.log(`layers      ${SIZES.join(' → ')}, ${parameters} parameters`);
console.log(`seeds       images ${IMAGE_SEED}, weights ${WEIGHT_SEED}, test set ${TEST_SEED}`);
console.log(`trained on  ${STEPS * BATCH} images in ${((performance.now() - started) / 1000).toFixed(0)} s`);
console.log(
  `accuracy    ${(100 * accuracy(layers, testSet())).toFixed(2)} % of ${TEST_SIZE} held-out images`,
);
console.log(`file        ${bytes.length} bytes`);

function toSafetensors(tensors: ReadonlyMap<string, Tensor<'F32'>>): Uint8Array {
  const declarations = Array.from(tensors, ([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const { header, bytes: head } = serializeSafetensorsHeader(declarations);
  const file = new Uint8Array(header.fileSize);
  file.set(head);
  for (const { name, offset } of header.tensors) {
    const { buffer, byteOffset, byteLength } = tensors.get(name)!.data;
    file.set(new Uint8Array(buffer, byteOffset, byteLength), offset);
  }
  return file;
}
