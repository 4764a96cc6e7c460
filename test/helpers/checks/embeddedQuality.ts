import * as assert from 'uvu/assert';
import { embedded } from '../../../src/encodings/embedded/embedded.js';
import { cosineSimilarity, encodeWith, f32Tensor, reconstruct, relativeError } from '../encodings.js';

/** Asserts that the quality of embedded weights is the true one, fragment after fragment, and rises to 1. */
export function checkEmbeddedQuality(data: Float32Array): void {
  const coded = encodeWith(embedded, f32Tensor([data.length], data), {}, { fragments: 30 });
  const decoder = embedded.createDecoder(coded.request, {});
  assert.equal(decoder.quality, { fraction: 0, cosine: 0, relativeError: 1 });
  let last = 0;
  for (const index of coded.encoded.payloads.keys()) {
    const out = reconstruct(decoder, coded, [index]);
    const { cosine, relativeError: error } = decoder.quality;
    assert.ok(Math.abs(cosine! - cosineSimilarity(data, out)) < 1e-4);
    // From the cosine, which is stored in steps of 2^-24.
    assert.ok(Math.abs(error! - relativeError(data, out)) < 5e-4);
    assert.ok(cosine! >= last);
    last = cosine!;
  }
  assert.is(last, 1);
}
