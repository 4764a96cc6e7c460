import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { finish } from '../../../src/async/steps.js';
import { Budget, limitsOf } from '../../../src/checks/limits.js';
import { loadDecodings } from '../../../src/encodings/decodings.js';
import type { HolographicEncoding } from '../../../src/encodings/encoding.js';
import { ArgumentError, FormatError, HolostreamError, LimitError } from '../../../src/errors.js';
import { HoloTensorDecoder } from '../../../src/holotensor/decoder.js';
import { type EncodedTensor, HoloTensorEncoder } from '../../../src/holotensor/encoder.js';
import { assertClose, throws } from '../../helpers/assertions.js';
import { cosineSimilarity } from '../../helpers/encodings.js';
import { noise, pseudoRandomBytes } from '../../helpers/random.js';

await loadDecodings();

const CASES: readonly [HolographicEncoding, object][] = [
  ['embedded', {}],
  ['low-rank', {}],
  ['low-rank', { residual: true }],
  ['random-projection', {}],
  ['spectral', {}],
  ['spectral', { layout: 'ranked' }],
  ['spectral', { layout: 'essential' }],
];

const data = noise(24 * 18);
const shape = [24, 18];

function encode(
  encoding: HolographicEncoding,
  options: object,
  values = data,
  dimensions = shape,
): EncodedTensor {
  return new HoloTensorEncoder(encoding, options).encode(values, dimensions);
}

function decode({ header, fragments }: EncodedTensor, order: readonly number[]): HoloTensorDecoder {
  const decoder = new HoloTensorDecoder(header);
  for (const index of order) decoder.addFragment(fragments[index]!);
  return decoder;
}

for (const [encoding, options] of CASES) {
  const name = `${encoding} ${JSON.stringify(options)}`;
  const encoded = encode(encoding, options);
  const smaller = encode(encoding, options, noise(100), [10, 10]);

  test(`${name}: only which fragments there are matters, not their order or how often they come`, () => {
    const order = fc.array(fc.nat(encoded.fragments.length - 1), { maxLength: 20 });
    fc.assert(
      fc.property(order, (indexes) => {
        const decoder = decode(encoded, indexes);
        const sorted = [...new Set(indexes)].sort((a, b) => a - b);
        const inOrder = decode(encoded, sorted);
        assert.is(decoder.fragments, sorted.length);
        assertClose(decoder.reconstruct(), inOrder.reconstruct(), 1e-6);
        const { cosine, fraction, predicted } = decoder.quality;
        assert.ok(Math.abs(cosine! - inOrder.quality.cosine!) < 1e-6);
        assert.ok(Math.abs(fraction - inOrder.quality.fraction) < 1e-12);
        assert.is(predicted, inOrder.quality.predicted);
        assert.ok(Math.abs(cosine! - cosineSimilarity(decoder.reconstruct(), data)) < 1e-4);
      }),
      { numRuns: 50 },
    );
  });

  test(`${name}: a fragment of another tensor is refused, and the decoder stays as it was`, () => {
    const larger = encode(encoding, options, noise(48 * 19), [48, 19]);
    // Layout 'essential' holds no sizes: a fragment of a smaller tensor cannot be told.
    const others = 'layout' in options && options.layout === 'essential' ? [larger] : [larger, smaller];
    const decoder = decode(encoded, [0, 2]);
    const before = decoder.reconstruct();
    const quality = decoder.quality;
    for (const { fragments } of others) {
      const error = throws(() => decoder.addFragment(fragments[1]!), FormatError);
      assert.is(error.fragmentIndex, 1);
    }
    assert.is(decoder.fragments, 2);
    assert.equal(decoder.reconstruct(), before);
    assert.equal(decoder.quality, quality);
    assert.ok(decoder.addFragment(encoded.fragments[1]!), 'the right one is still welcome');
  });

  test(`${name}: a corrupted payload is a typed error or a tensor, never anything else`, () => {
    const random = pseudoRandomBytes(4000, 5);
    for (let round = 0; round < 300; round++) {
      const index = random[round * 4]! % encoded.fragments.length;
      const payload = encoded.fragments[index]!.data.slice(
        0,
        round % 3 === 0 ? random[round * 4 + 1] : undefined,
      );
      // Headers are where it hurts: most of the damage is done there.
      const reach = round % 2 === 0 ? Math.min(payload.length, 32) : payload.length;
      if (reach > 0) payload[(random[round * 4 + 2]! * 7) % reach]! ^= 1 << (random[round * 4 + 3]! & 7);
      const decoder = decode(encoded, [0]);
      try {
        decoder.addFragment({ index, data: payload });
        assert.is(decoder.reconstruct().length, data.length);
      } catch (error) {
        if (!(error instanceof HolostreamError)) throw error;
      }
    }
  });

  test(`${name}: payloads of random bytes are refused or harmless`, () => {
    for (let length = 0; length < 200; length += 3) {
      const decoder = new HoloTensorDecoder(encoded.header);
      try {
        decoder.addFragment({ index: length % 8, data: pseudoRandomBytes(length, length + 1) });
        decoder.reconstruct();
      } catch (error) {
        if (!(error instanceof HolostreamError)) throw error;
      }
    }
  });
}

test('what waits for a fragment that has not come predicts nothing', () => {
  const encoded = encode('embedded', {});
  const decoder = decode(encoded, [1, 2, 3]);
  assert.is(decoder.quality.predicted, 0);
  assert.is(decoder.quality.cosine, 0);
  assert.is(decoder.fragments, 3);
  decoder.addFragment(encoded.fragments[0]!);
  assert.is(decoder.quality.predicted, encoded.header.qualityCurve.predict(4, 8));
});

test('what cannot be is refused: fragment numbers, the size of a tensor, the length of out', () => {
  const { header, fragments } = encode('spectral', {});
  const decoder = new HoloTensorDecoder(header);
  for (const index of [8, -1, 1.5, Number.NaN]) {
    throws(
      () => decoder.addFragment({ index, data: fragments[0]!.data }),
      ArgumentError,
      /value of fragmentIndex/,
    );
  }
  throws(() => decoder.reconstruct(new Float32Array(431)), ArgumentError);
  throws(
    () => new HoloTensorDecoder(header, { limits: { tensorBytes: 432 * 4 - 1 } }),
    LimitError,
    /tensorBytes/,
  );
  const huge = { ...header, shape: [2 ** 20, 2 ** 20], originalSize: 2 ** 42 };
  throws(() => new HoloTensorDecoder(huge), LimitError, /tensorBytes/);
});

test('the same file can be decoded again and again', () => {
  const encoded = encode('spectral', {});
  const first = decode(encoded, [0, 1, 2, 3, 4, 5, 6, 7]).reconstruct();
  const second = decode(encoded, [7, 6, 5, 4, 3, 2, 1, 0]);
  const out = new Float32Array(432).fill(Number.NaN);
  assert.is(second.reconstruct(out), out);
  assert.equal(out, first);
  assert.equal(second.reconstruct(), first, 'reconstructing changes nothing');
});

test('a fragment waits until the bytes received pay for it', () => {
  const encoded = encode('embedded', {});
  const { header, fragments } = encoded;
  const limits = limitsOf({ limits: { ratio: 8 } });
  const budget = new Budget(limits);
  budget.spend({ bytes: budget.most, steps: 0 });
  const decoder = new HoloTensorDecoder(header, {}, budget);
  assert.is(decoder.addFragment(fragments[0]!), true);
  assert.is(decoder.addFragment(fragments[0]!), false, 'it waits already');
  assert.equal(
    [decoder.fragments, decoder.waits, decoder.usable, decoder.quality.cosine],
    [0, true, false, 0],
  );
  throws(() => finish(decoder.settling()), LimitError, /option limits\.ratio/);
  for (const fragment of fragments.slice(1)) decoder.addFragment(fragment);
  const { received } = budget;
  decoder.addFragment(fragments[0]!);
  assert.is(budget.received, received, 'its bytes count once');
  // Bytes of another tensor.
  budget.received += 2 ** 20;
  finish(decoder.settling());
  assert.equal([decoder.fragments, decoder.waits, decoder.usable], [fragments.length, false, true]);
  assert.is(decoder.addFragment(fragments[0]!), false, 'it has been added');
  assert.equal(decoder.reconstruct(), decode(encoded, [0, 1, 2, 3, 4, 5, 6, 7]).reconstruct());
});

test('a fragment that a reconstruction finds corrupt is missing, until it comes again', () => {
  const values = noise(5000);
  const { header, fragments } = encode('embedded', { fragments: 4 }, values, [5000]);
  const last = fragments[3]!;
  const broken = last.data.slice();
  broken.fill(0xff, broken.length - 900);
  const decoder = decode(
    { header, fragments: fragments.with(3, { index: 3, data: broken }), cosines: [] },
    [0, 1, 2, 3],
  );
  for (const read of [() => decoder.reconstruct(), () => decoder.reconstructTensor()]) {
    assert.ok(decoder.complete);
    assert.is(throws(read, FormatError).fragmentIndex, 3);
    assert.equal([decoder.fragments, decoder.complete, decoder.quality.fraction], [3, false, 0.75]);
    read();
    assert.ok(decoder.addFragment({ index: 3, data: broken }));
  }
  throws(() => decoder.reconstruct(), FormatError);
  assert.ok(decoder.addFragment(last));
  assert.equal([decoder.fragments, decoder.complete], [4, true]);
  assert.equal(decoder.reconstruct(), values);
});

test.run();
