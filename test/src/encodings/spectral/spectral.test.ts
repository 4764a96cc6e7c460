import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  SpectralDecoder,
  type SpectralLayout,
  spectral,
} from '../../../../src/encodings/spectral/spectral.js';
import { ArgumentError, FormatError, LimitError } from '../../../../src/errors.js';
import { portableKernels } from '../../../../src/kernels/portableKernels.js';
import { assertClose, throws } from '../../../helpers/assertions.js';
import {
  cosineSimilarity,
  encodeWith,
  f32Tensor,
  matrixOf,
  reconstruct,
  relativeError,
} from '../../../helpers/encodings.js';
import { fixturePayloads, fixtureTensor, holoFixtures } from '../../../helpers/holoFixtures.js';
import { noise, randomFrom, randomSubset } from '../../../helpers/random.js';
import { readWeights } from '../../../helpers/weights.js';

const LAYOUTS: readonly SpectralLayout[] = ['raster', 'ranked', 'essential'];

for (const file of holoFixtures('spectral')) {
  const payloads = fixturePayloads(file);
  const request = {
    ...matrixOf(file.shape),
    dtype: 'F32',
    fragments: file.totalFragments,
    seed: 0n,
    norm: undefined,
    kernels: portableKernels,
  } as const;

  test(`${file.file}: every listed subset, in any order, with duplicates`, () => {
    for (const { fragments, expected, referenceQuality } of file.decodes) {
      const decoder = new SpectralDecoder(request);
      const fractions = fragments.map((index) => {
        assert.ok(decoder.addFragment(index, payloads[index]!));
        assert.not(decoder.addFragment(index, payloads[index]!));
        return decoder.quality.fraction;
      });
      assertClose(fractions, referenceQuality!, 1e-6);
      const out = new Float32Array(request.rows * request.cols);
      decoder.reconstruct(out);
      assertClose(out, fixtureTensor(expected), 1e-5);
      const backwards = new SpectralDecoder(request);
      for (const index of fragments.toReversed()) backwards.addFragment(index, payloads[index]!);
      const again = new Float32Array(out.length);
      backwards.reconstruct(again);
      assert.equal(again, out);
      assert.is(backwards.quality.cosine, undefined, 'no norm, no true quality');
    }
  });

  test(`${file.file}: written anew`, () => {
    const magic = new DataView(payloads[0]!.buffer, payloads[0]!.byteOffset).getUint32(0, true);
    const layout = magic === 0x33305653 ? 'raster' : magic === 0x32305653 ? 'ranked' : 'essential';
    const tensor = f32Tensor(file.shape, fixtureTensor(file.source));
    const { encoded } = encodeWith(spectral, tensor, { layout }, { fragments: file.totalFragments });
    assert.is(encoded.payloads.length, payloads.length);
    encoded.payloads.forEach((payload, index) => {
      assert.is(payload.length, payloads[index]!.length);
      // Coefficients equal within rounding; all that is not a coefficient is equal (their order is, where magnitudes
      // do not lie within rounding of each other, which they don't in these files).
      const ours = new DataView(payload.buffer, payload.byteOffset);
      const theirs = new DataView(payloads[index]!.buffer, payloads[index]!.byteOffset);
      for (let at = 0; at < payload.length; at += 4) {
        if (ours.getUint32(at, true) === theirs.getUint32(at, true)) continue;
        const difference = ours.getFloat32(at, true) - theirs.getFloat32(at, true);
        assert.ok(Math.abs(difference) <= 1e-5 * encoded.norm, `fragment ${index}, byte ${at}`);
      }
    });
  });
}

for (const layout of LAYOUTS) {
  test(`${layout}: true quality of every prefix and of random subsets, and the whole, on real weights`, () => {
    const random = randomFrom(3);
    for (const tensor of readWeights('silero-vad-16k')) {
      const coded = encodeWith(spectral, tensor, { layout });
      const original = tensor.data;
      const prefix = new SpectralDecoder(coded.request);
      const reported: number[] = [];
      for (let index = 0; index < 8; index++) {
        const out = reconstruct(prefix, coded, [index]);
        const { cosine } = prefix.quality;
        assert.ok(Math.abs(cosine! - cosineSimilarity(original, out)) < 1e-4, `${tensor.name} ${index}`);
        assert.ok(Math.abs(cosine! - coded.encoded.cosines[index]!) < 1e-6);
        reported.push(cosine!);
      }
      assert.equal(
        reported,
        reported.toSorted((a, b) => a - b),
      );
      assert.equal(prefix.quality, { fraction: 1, cosine: 1, relativeError: 0 });
      assert.ok(relativeError(original, reconstruct(prefix, coded, [])) < 1e-6);
      for (let run = 0; run < 20; run++) {
        const subset = randomSubset(8, 1 + Math.floor(random() * 7), random);
        const decoder = new SpectralDecoder(coded.request);
        const out = reconstruct(decoder, coded, subset);
        const { cosine, relativeError: error } = decoder.quality;
        const truth = cosineSimilarity(original, out);
        assert.ok(Math.abs(cosine! - truth) < 1e-4, `${tensor.name} ${subset}`);
        assert.ok(Math.abs(error! - relativeError(original, out)) < 1e-3, `${tensor.name} ${subset}`);
      }
    }
  });

  test(`${layout}: any shape, number of fragments and order`, () => {
    const side = fc.integer({ min: 0, max: 20 });
    fc.assert(
      fc.property(side, side, fc.integer({ min: 1, max: 40 }), fc.nat(), (rows, cols, fragments, seed) => {
        const data = noise(rows * cols, seed);
        const coded = encodeWith(spectral, f32Tensor([rows, cols], data), { layout }, { fragments });
        const decoder = new SpectralDecoder(coded.request);
        const order = randomSubset(fragments, fragments, randomFrom(seed));
        const out = reconstruct(decoder, coded, [...order, ...order]);
        assert.equal(decoder.quality, { fraction: 1, cosine: 1, relativeError: 0 });
        assertClose(out, data, 1e-6);
      }),
      { numRuns: 60 },
    );
  });

  test(`${layout}: refuses what is malformed or another tensor's, and stays as it was`, () => {
    const tensor = f32Tensor([9, 7], noise(63));
    const coded = encodeWith(spectral, tensor, { layout }, { fragments: 3 });
    const others = [
      encodeWith(spectral, f32Tensor([9, 8], noise(72)), { layout }, { fragments: 3 }),
      encodeWith(spectral, f32Tensor([9, 7], noise(63)), { layout }, { fragments: 4 }),
    ];
    const [payload] = coded.encoded.payloads;
    const withNaN = payload!.slice();
    new DataView(withNaN.buffer).setFloat32(withNaN.length - 4, Number.NaN, true);
    const bad = [
      ...Array.from(payload!, (_, length) => payload!.subarray(0, length)),
      Uint8Array.of(...payload!, 0),
      withNaN,
      // SV01 says neither how many fragments there are nor which one it is.
      ...others.slice(0, layout === 'essential' ? 0 : 2).map(({ encoded }) => encoded.payloads[0]!),
    ];
    for (const before of [[], [1]]) {
      const decoder = new SpectralDecoder(coded.request);
      reconstruct(decoder, coded, before);
      const { quality } = decoder;
      for (const wrong of bad) throws(() => decoder.addFragment(0, wrong), FormatError);
      throws(() => decoder.addFragment(3, payload!), FormatError, /fragment number/);
      assert.equal(decoder.quality, quality);
      const out = reconstruct(decoder, coded, [0, 1, 2]);
      assertClose(out, tensor.data as Float32Array, 1e-6);
    }
  });
}

test('a fragment of another layout is refused', () => {
  const tensor = f32Tensor([6, 6], noise(36));
  const coded = LAYOUTS.map((layout) => encodeWith(spectral, tensor, { layout }));
  const decoder = new SpectralDecoder(coded[0]!.request);
  decoder.addFragment(0, coded[0]!.encoded.payloads[0]!);
  throws(
    () => decoder.addFragment(1, coded[1]!.encoded.payloads[1]!),
    FormatError,
    /expected raster, got ranked/,
  );
});

test('an importance order that is no permutation is refused', () => {
  const coded = encodeWith(spectral, f32Tensor([5], noise(5)), { layout: 'ranked' }, { fragments: 2 });
  for (const index of [5, 0xffffffff, new DataView(coded.encoded.payloads[0]!.buffer).getUint32(16, true)]) {
    const payload = coded.encoded.payloads[0]!.slice();
    new DataView(payload.buffer).setUint32(12, index, true);
    const decoder = new SpectralDecoder(coded.request);
    throws(() => decoder.addFragment(0, payload), FormatError, /importance order/);
  }
});

test('essentialRatio sets how much every fragment repeats', () => {
  const tensor = f32Tensor([10, 10], noise(100));
  const essentials = (essentialRatio: number) => {
    const { encoded } = encodeWith(
      spectral,
      tensor,
      { layout: 'essential', essentialRatio },
      { fragments: 4 },
    );
    return encoded.payloads.map((payload) => new DataView(payload.buffer).getUint32(0, true));
  };
  assert.equal(essentials(0), [0, 0, 0, 0]);
  assert.equal(essentials(0.25), [25, 25, 25, 25]);
  assert.equal(essentials(1), [100, 100, 100, 100]);
});

test('refuses to repeat more than a file can hold', () => {
  const tensor = f32Tensor([300, 300], noise(90_000));
  const encode = () => encodeWith(spectral, tensor, { layout: 'essential' }, { fragments: 65535 });
  throws(encode, LimitError, /essential coefficients/);
});

for (const layout of LAYOUTS) {
  test(`${layout}: as many fragments as a file can have, most of them empty`, () => {
    const data = noise(100);
    const coded = encodeWith(spectral, f32Tensor([10, 10], data), { layout }, { fragments: 65535 });
    assert.is(coded.encoded.payloads.length, 65535);
    const decoder = new SpectralDecoder(coded.request);
    assertClose(reconstruct(decoder, coded, coded.encoded.payloads.keys()), data, 1e-6);
  });
}

test('says truthfully what order and subsets are worth', () => {
  const tensor = f32Tensor([64, 64], noise(4096));
  const flags = (layout: SpectralLayout, data = tensor) => {
    const { essentialFirst, interleaved } = encodeWith(spectral, data, { layout }).encoded;
    return { essentialFirst, interleaved };
  };
  assert.equal(flags('raster'), { essentialFirst: false, interleaved: true });
  assert.equal(flags('essential'), { essentialFirst: false, interleaved: true });
  assert.equal(flags('ranked'), { essentialFirst: true, interleaved: false });
  const constant = f32Tensor([64, 64], new Float32Array(4096).fill(1));
  assert.equal(flags('raster', constant), { essentialFirst: true, interleaved: false });
});

test('a tensor of zeros is exact at once', () => {
  const coded = encodeWith(spectral, f32Tensor([4, 4], new Float32Array(16)), {});
  assert.equal(coded.encoded.cosines, new Array(8).fill(1));
  const decoder = new SpectralDecoder(coded.request);
  assert.equal(reconstruct(decoder, coded, [5]), new Float32Array(16));
  assert.equal(decoder.quality.cosine, 1);
});

test('bfloat16 weights are encoded as the numbers they are', () => {
  const data = Uint16Array.of(0x3f80, 0xc000, 0x3e80, 0x0000);
  const coded = encodeWith(spectral, { dtype: 'BF16', shape: [2, 2], data }, {});
  const out = reconstruct(new SpectralDecoder(coded.request), coded, coded.encoded.payloads.keys());
  assertClose(out, Float32Array.of(1, -2, 0.25, 0), 1e-6);
});

test('refuses what it cannot carry, naming the index', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const data = noise(12);
    data[7] = value;
    throws(() => encodeWith(spectral, f32Tensor([3, 4], data), {}), ArgumentError, /element 7/);
  }
  const huge = new Float32Array(4).fill(3e38);
  throws(() => encodeWith(spectral, f32Tensor([4], huge), {}), ArgumentError, /norm/);
});

test('refuses options that cannot work', () => {
  const encode = (options: object) => encodeWith(spectral, f32Tensor([4], noise(4)), options);
  throws(() => encode({ layout: 'diagonal' }), ArgumentError, /got diagonal/);
  throws(() => encode({ essentialRatio: 0.5 }), ArgumentError, /essential/);
  throws(() => encode({ layout: 'essential', essentialRatio: 1.5 }), ArgumentError, /got 1.5/);
  const coded = encodeWith(spectral, f32Tensor([4], noise(4)), {});
  throws(
    () => new SpectralDecoder(coded.request).reconstruct(new Float32Array(3)),
    ArgumentError,
    /expected 4/,
  );
});

test.run();
