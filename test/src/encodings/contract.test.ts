import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Encoding, HolographicEncoding } from '../../../src/encodings/encoding.js';
import { ENCODINGS } from '../../../src/encodings/encodings.js';
import { ArgumentError } from '../../../src/errors.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';
import { assertClose, throws } from '../../helpers/assertions.js';
import { checkTrueQuality } from '../../helpers/checks/trueQuality.js';
import { ENCODING_CASES } from '../../helpers/encodingCases.js';
import { assertRefused, encodeWith, f32Tensor, matrixOf, reconstruct } from '../../helpers/encodings.js';
import {
  fixturePayloads,
  fixtureTensor,
  type HoloFixture,
  holoFixtures,
} from '../../helpers/holoFixtures.js';
import { noise, randomFrom, randomSubset } from '../../helpers/random.js';
import { readTensors, TRAINED_FILES, trainedLike } from '../../helpers/trained.js';

/** Every encoding keeps the same contract; each test runs on all of them. */
const test = suite('encodings: the contract');

/** Options with which an encoding is lossless. */
const LOSSLESS: Record<HolographicEncoding, fc.Arbitrary<object>> = {
  spectral: fc.record({ layout: fc.constantFrom('raster', 'ranked', 'essential') }),
  'random-projection': fc.constant({}),
  'low-rank': fc.record({
    layout: fc.constantFrom('sequential', 'interleaved'),
    rank: fc.integer({ min: 1, max: 25 }),
    residual: fc.constant(true),
  }),
  embedded: fc.constant({}),
};

for (const [name, encoding] of Object.entries(ENCODINGS) as [HolographicEncoding, Encoding][]) {
  test(`${name}: any shape, options, seed, number of fragments and order`, () => {
    const side = fc.integer({ min: 0, max: 20 });
    const count = fc.integer({ min: 1, max: 40 });
    const seeds = fc.bigInt({ min: 0n, max: 2n ** 63n });
    fc.assert(
      fc.property(
        side,
        side,
        count,
        LOSSLESS[name],
        fc.nat(),
        seeds,
        (rows, cols, fragments, options, start, seed) => {
          const data = noise(rows * cols, start);
          const coded = encodeWith(encoding, f32Tensor([rows, cols], data), options, { fragments, seed });
          const { payloads, cosines } = coded.encoded;
          if (name !== 'embedded') assert.is(payloads.length, fragments);
          assert.is(cosines.length, payloads.length);
          const decoder = encoding.createDecoder(coded.request, {});
          const order = randomSubset(payloads.length, payloads.length, randomFrom(start));
          const out = reconstruct(decoder, coded, [...order, ...order]);
          assert.equal(decoder.quality, { fraction: 1, cosine: 1, relativeError: 0 });
          assertClose(out, data, 1e-6);
        },
      ),
      { numRuns: 200 },
    );
  });
}

const TENSORS = readTensors('layers', TRAINED_FILES.layers).filter(({ data }) => data.length <= 20_000);

for (const encodingCase of ENCODING_CASES) {
  const { name, encoding, options, exact } = encodingCase;
  const encode = (shape: readonly number[], data: Float32Array, fragments = 8) =>
    encodeWith(encoding, f32Tensor(shape, data), options, { fragments });

  test(`${name}: true quality of every prefix and of random subsets, and the whole`, () => {
    for (const tensor of TENSORS) checkTrueQuality(encodingCase, tensor);
  });

  test(`${name}: fragments cut short, too long or of another number are refused, and nothing changes`, () => {
    const data = trainedLike([24, 7]);
    const coded = encode([24, 7], data, 3);
    const { payloads } = coded.encoded;
    const createDecoder = () => encoding.createDecoder(coded.request, {});
    const expected = exact ? data : reconstruct(createDecoder(), coded, payloads.keys());
    const cut = Array.from(payloads[0]!, (_, length) => payloads[0]!.subarray(0, length));
    const longer = Uint8Array.of(...payloads[0]!, 0);
    assertRefused(createDecoder, coded, [...cut, longer], (whole) => assertClose(whole, expected, 1e-6));
  });

  test(`${name}: a payload at any address`, () => {
    const data = noise(30);
    const coded = encode([5, 6], data, 2);
    const payloads = coded.encoded.payloads.map((payload) => Uint8Array.of(0, ...payload).subarray(1));
    const shifted = { ...coded, encoded: { ...coded.encoded, payloads } };
    const out = reconstruct(encoding.createDecoder(coded.request, {}), shifted, payloads.keys());
    assertClose(out, data, 1e-6);
  });

  test(`${name}: a tensor of zeros is exact at once`, () => {
    const coded = encode([4, 4], new Float32Array(16));
    const { payloads, cosines } = coded.encoded;
    assert.equal(cosines, new Array(payloads.length).fill(1));
    const decoder = encoding.createDecoder(coded.request, {});
    assert.equal(reconstruct(decoder, coded, [payloads.length - 1]), new Float32Array(16));
    assert.is(decoder.quality.cosine, 1);
  });

  test(`${name}: bfloat16 weights are encoded as the numbers they are`, () => {
    const data = Uint16Array.of(0x3f80, 0xc000, 0x3e80, 0x0000);
    const coded = encodeWith(encoding, { dtype: 'BF16', shape: [2, 2], data }, options);
    const out = reconstruct(encoding.createDecoder(coded.request, {}), coded, coded.encoded.payloads.keys());
    assertClose(out, Float32Array.of(1, -2, 0.25, 0), 1e-6);
  });

  test(`${name}: carries NaNs and infinities, or refuses them naming the index`, () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const data = noise(12).with(7, value);
      if (encoding.name === 'embedded') {
        const coded = encode([3, 4], data);
        const out = reconstruct(
          encoding.createDecoder(coded.request, {}),
          coded,
          coded.encoded.payloads.keys(),
        );
        assert.ok(out.every((number, i) => Object.is(number, data[i])));
      } else throws(() => encode([3, 4], data), ArgumentError, /element 7/);
    }
    const huge = new Float32Array(4).fill(3e38);
    if (encoding.name === 'embedded') assert.equal(encode([4], huge).encoded.cosines.at(-1), 1);
    else throws(() => encode([4], huge), ArgumentError, /norm/);
  });

  test(`${name}: an output of another length is refused`, () => {
    const decoder = encoding.createDecoder(encode([4], noise(4)).request, {});
    throws(
      () => decoder.reconstruct(new Float32Array(3)),
      ArgumentError,
      /of length 4, got a Float32Array of length 3$/,
    );
  });
}

const REFERENCE: Record<HoloFixture['encoding'], HolographicEncoding> = {
  spectral: 'spectral',
  rph: 'random-projection',
  lrdf: 'low-rank',
};

for (const [theirName, ourName] of Object.entries(REFERENCE) as [
  HoloFixture['encoding'],
  HolographicEncoding,
][]) {
  const encoding: Encoding = ENCODINGS[ourName];
  for (const file of holoFixtures(theirName)) {
    test(`${file.file}: every listed subset, in any order, with duplicates`, () => {
      const payloads = fixturePayloads(file);
      const request = {
        ...matrixOf(file.shape),
        dtype: 'F32',
        fragments: payloads.length,
        seed: BigInt(file.seed ?? 0),
        norm: undefined,
        kernels: portableKernels,
      } as const;
      for (const { fragments: subset, expected, referenceQuality } of file.decodes) {
        const results = [subset, subset.toReversed()].map((order) => {
          const decoder = encoding.createDecoder(request, {});
          const fractions = order.map((index) => {
            assert.ok(decoder.addFragment(index, payloads[index]!));
            assert.not(decoder.addFragment(index, payloads[index]!));
            return decoder.quality.fraction;
          });
          const out = new Float32Array(request.rows * request.cols);
          decoder.reconstruct(out);
          assertClose(out, fixtureTensor(expected), 1e-5);
          assert.is(decoder.quality.cosine, undefined, 'no norm, no true quality');
          return { out, fractions };
        });
        const [forwards, backwards] = results as [(typeof results)[0], (typeof results)[0]];
        if (referenceQuality !== null) {
          assertClose(forwards.fractions, referenceQuality, 1e-6);
          // Spectral fragments differ by a coefficient; all others are equal parts.
          if (theirName !== 'spectral') assertClose(backwards.fractions, referenceQuality, 1e-6);
        }
        // A sum of components depends on their order.
        if (theirName === 'lrdf') assertClose(backwards.out, forwards.out, 1e-6);
        else assert.equal(backwards.out, forwards.out);
      }
    });
  }
}

test.run();
