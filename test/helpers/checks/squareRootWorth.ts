import * as assert from 'uvu/assert';
import { randomProjection } from '../../../src/encodings/randomProjection/randomProjection.js';
import type { DType } from '../../../src/tensor/dtype.js';
import type { Tensor } from '../../../src/tensor/tensor.js';
import { cosineSimilarity, encodeWith, reconstruct } from '../encodings.js';
import { randomFrom, randomSubset } from '../random.js';

/** Asserts that any k of 8 fragments of a random projection bring a cosine similarity of √(k/8). */
export function checkSquareRootWorth(tensor: Tensor<DType>): void {
  const coded = encodeWith(randomProjection, tensor, {}, { seed: 42n });
  const random = randomFrom(1);
  for (let run = 0; run < 50; run++) {
    const subset = randomSubset(8, 1 + (run % 8), random);
    const out = reconstruct(randomProjection.createDecoder(coded.request, {}), coded, subset);
    const cosine = cosineSimilarity(tensor.data as Float32Array, out);
    assert.ok(Math.abs(cosine - Math.sqrt(subset.length / 8)) < 0.03, `${subset}: ${cosine}`);
  }
  assert.ok(coded.encoded.interleaved);
  assert.not(coded.encoded.essentialFirst);
}
