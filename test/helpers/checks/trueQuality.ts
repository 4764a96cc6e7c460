import * as assert from 'uvu/assert';
import type { EncodingCase } from '../encodingCases.js';
import { cosineSimilarity, encodeWith, reconstruct, relativeError } from '../encodings.js';
import { randomFrom, randomSubset } from '../random.js';
import type { NamedTensor } from '../trained.js';

/** Elements. */
const SMALL_TENSOR = 2 ** 14;

/**
 * Asserts that a decoder's quality is the true one for every prefix of fragments and for random subsets, that it rises,
 * and that all fragments make the tensor whole.
 */
export function checkTrueQuality({ encoding, options, exact }: EncodingCase, tensor: NamedTensor): void {
  const original = tensor.data;
  const coded = encodeWith(encoding, tensor, options, { seed: 9n });
  const total = coded.encoded.payloads.length;
  const prefix = encoding.createDecoder(coded.request, {});
  const reported: number[] = [];
  for (let index = 0; index < total; index++) {
    const out = reconstruct(prefix, coded, [index]);
    const { cosine, fraction } = prefix.quality;
    const isEqualParts = encoding.name === 'low-rank' || encoding.name === 'embedded';
    if (isEqualParts) assert.is(fraction, (index + 1) / total);
    const truth = cosineSimilarity(original, out);
    assert.ok(Math.abs(cosine! - truth) < 1e-4, `${tensor.name} ${index}: ${cosine} for ${truth}`);
    assert.ok(Math.abs(cosine! - coded.encoded.cosines[index]!) < 1e-6, `${tensor.name} ${index}`);
    reported.push(cosine!);
  }
  assert.equal(
    reported,
    reported.toSorted((a, b) => a - b),
  );
  assert.is(prefix.quality.fraction, 1);
  if (exact) {
    assert.equal(prefix.quality, { fraction: 1, cosine: 1, relativeError: 0 });
    const error = relativeError(original, reconstruct(prefix, coded, []));
    assert.ok(error < 1e-6, `${tensor.name}: ${error}`);
  }
  // Embedded: from the cosine, as if weights were at means, of which small tensors have few.
  const mostOff = encoding.name === 'embedded' && original.length < SMALL_TENSOR ? 4e-3 : 1e-3;
  const random = randomFrom(3);
  for (let run = 0; run < 20; run++) {
    const subset = randomSubset(total, 1 + Math.floor(random() * (total - 1)), random);
    const decoder = encoding.createDecoder(coded.request, {});
    const out = reconstruct(decoder, coded, subset);
    const { cosine, relativeError: error } = decoder.quality;
    assert.ok(Math.abs(cosine! - cosineSimilarity(original, out)) < 1e-4, `${tensor.name} ${subset}`);
    assert.ok(Math.abs(error! - relativeError(original, out)) < mostOff, `${tensor.name} ${subset}`);
  }
}
