import * as assert from 'uvu/assert';
import { loadDecodings } from '../../../src/encodings/decodings.js';
import type { HolographicEncoding } from '../../../src/encodings/encoding.js';
import { HoloTensorDecoder } from '../../../src/holotensor/decoder.js';
import { HoloTensorEncoder } from '../../../src/holotensor/encoder.js';
import { parseHoloTensorHeader } from '../../../src/holotensor/header.js';
import { serializeHoloTensorHeader } from '../../../src/holotensor/serializeHeader.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { cosineSimilarity, relativeError } from '../encodings.js';
import { randomFrom, randomSubset } from '../random.js';
import type { NamedTensor } from '../trained.js';

await loadDecodings();

const kernels = await loadKernels();

export const QUALITY_CASES: readonly [HolographicEncoding, object][] = [
  ['embedded', {}],
  ['low-rank', { rank: 64 }],
  ['low-rank', { rank: 64, layout: 'interleaved' }],
  ['low-rank', { rank: 8, residual: true }],
  ['random-projection', {}],
  ['spectral', {}],
  ['spectral', { layout: 'ranked' }],
  ['spectral', { layout: 'essential' }],
];

/** Asserts of every prefix and of 20 subsets of fragments that the quality reported is the true one. */
export function checkQuality(
  encoding: HolographicEncoding,
  options: object,
  { name, data, shape }: NamedTensor,
): void {
  const encoded = new HoloTensorEncoder(encoding, { ...options, kernels }).encode(data, shape);
  // What a file keeps of the header, the norm as f32.
  const header = parseHoloTensorHeader(serializeHoloTensorHeader(encoded.header));
  const total = encoded.fragments.length;
  const random = randomFrom(data.length);
  const prefixes = Array.from({ length: total }, (_, k) =>
    encoded.fragments.slice(0, k + 1).map((f) => f.index),
  );
  const subsets = Array.from({ length: 20 }, () =>
    randomSubset(total, 1 + Math.floor(random() * total), random),
  );
  for (const subset of [...prefixes, ...subsets]) {
    const decoder = new HoloTensorDecoder(header, { kernels });
    for (const index of subset) decoder.addFragment(encoded.fragments[index]!);
    const values = decoder.reconstruct();
    const { cosine, relativeError: error } = decoder.quality;
    const place = `${name}, fragments ${subset}`;
    const trueCosine = cosineSimilarity(values, data);
    assert.ok(Math.abs(cosine! - trueCosine) <= 1e-4, `${place}: cosine ${cosine}, true ${trueCosine}`);
    // The error is √(1 − cosine²): where it is small, 1e-4 of cosine are more of it.
    const trueError = data.some((value) => value !== 0) ? relativeError(data, values) : 0;
    assert.ok(Math.abs(error! - trueError) <= 0.015, `${place}: error ${error}, true ${trueError}`);
    if (subset.length === total && (encoding !== 'low-rank' || 'residual' in options)) {
      assert.ok(trueError <= 1e-6, `${place}: relative error ${trueError}`);
    }
  }
}

/** The largest tensor of at most 40,000 elements that is a matrix or more, and the smallest tensor. */
export function largestAndSmallest(tensors: readonly NamedTensor[]): NamedTensor[] {
  const all = tensors.toSorted((a, b) => a.data.length - b.data.length);
  const matrices = all.filter(({ shape, data }) => shape.length > 1 && data.length <= 40_000);
  return [...new Set([all[0]!, ...matrices.slice(-1)])];
}
