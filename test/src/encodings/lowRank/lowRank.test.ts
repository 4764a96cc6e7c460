import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  LowRankDecoder,
  type LowRankEncodeOptions,
  lowRank,
} from '../../../../src/encodings/lowRank/lowRank.js';
import { ArgumentError, FormatError } from '../../../../src/errors.js';
import { portableKernels } from '../../../../src/kernels/portableKernels.js';
import { throws } from '../../../helpers/assertions.js';
import {
  cosineSimilarity,
  encodeWith,
  f32Tensor,
  matrixOf,
  reconstruct,
  relativeError,
} from '../../../helpers/encodings.js';
import { fixturePayloads, fixtureTensor, holoFixtures } from '../../../helpers/holoFixtures.js';
import { matrixWithSpectrum } from '../../../helpers/linalg.js';
import { noise, randomFrom, randomSubset } from '../../../helpers/random.js';
import { readWeights, WEIGHT_FILES } from '../../../helpers/weights.js';

const RAW = 0xffffffff;

function assertClose(actual: Float32Array, expected: Float32Array, tolerance: number): void {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let i = 0; i < expected.length; i++) {
    if (!(Math.abs(actual[i]! - expected[i]!) <= tolerance * largest)) {
      assert.unreachable(`[${i}]: ${actual[i]} for ${expected[i]} (largest ${largest})`);
    }
  }
}

function componentsOf(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(8, true);
}

for (const file of holoFixtures('lrdf')) {
  const payloads = fixturePayloads(file);
  const request = {
    ...matrixOf(file.shape),
    dtype: 'F32',
    // The inline form says 0 and holds one.
    fragments: Math.max(1, file.totalFragments),
    seed: 0n,
    norm: undefined,
    kernels: portableKernels,
  } as const;

  test(`${file.file}: every listed subset, in any order, with duplicates`, () => {
    for (const { fragments, expected, referenceQuality } of file.decodes) {
      const decoder = new LowRankDecoder(request);
      const fractions = fragments.map((index) => {
        assert.ok(decoder.addFragment(index, payloads[index]!));
        assert.not(decoder.addFragment(index, payloads[index]!));
        return decoder.quality.fraction;
      });
      if (referenceQuality !== null) {
        assertClose(Float32Array.from(fractions), Float32Array.from(referenceQuality), 1e-6);
      }
      const out = new Float32Array(request.rows * request.cols);
      decoder.reconstruct(out);
      assertClose(out, fixtureTensor(expected), 1e-5);
      const backwards = new LowRankDecoder(request);
      for (const index of fragments.toReversed()) backwards.addFragment(index, payloads[index]!);
      const again = new Float32Array(out.length);
      backwards.reconstruct(again);
      assertClose(again, out, 1e-6);
      assert.is(backwards.quality.cosine, undefined, 'no norm, no true quality');
    }
  });

  test(`${file.file}: written anew`, () => {
    const tensor = f32Tensor(file.shape, fixtureTensor(file.source));
    const raw = componentsOf(payloads[0]!) === RAW;
    const coded = encodeWith(lowRank, tensor, { residual: raw }, { fragments: payloads.length });
    // The reference computes components that are only rounding; here they are left out. All else is dealt out alike.
    coded.encoded.payloads.forEach((payload, index) => {
      assert.ok(payload.length <= payloads[index]!.length);
      if (raw) assert.equal(payload, payloads[index]);
    });
    const out = reconstruct(new LowRankDecoder(coded.request), coded, payloads.keys());
    assertClose(out, tensor.data as Float32Array, 1e-5);
  });
}

test('components and payload bytes of a small matrix, by hand', () => {
  const { encoded } = encodeWith(
    lowRank,
    f32Tensor([2, 3], Float32Array.of(0, 3, 0, 0, 0, 0)),
    {},
    { fragments: 2 },
  );
  const [first, second] = encoded.payloads;
  assert.equal(new Uint32Array(first!.buffer, 0, 3), Uint32Array.of(2, 3, 1));
  const [sigma, u0, u1, ...v] = new Float32Array(first!.buffer, 12);
  assert.ok(Math.abs(sigma! - 3) < 1e-6);
  assertClose(Float32Array.of(u0!, u1!), Float32Array.of(Math.sign(u0!), 0), 1e-6);
  assertClose(Float32Array.from(v), Float32Array.of(0, Math.sign(u0!), 0), 1e-6);
  assert.equal(
    second,
    new Uint8Array(Uint32Array.of(2, 3, 0).buffer),
    'rank 1: nothing for the second fragment',
  );
  assertClose(Float32Array.from(encoded.cosines), Float32Array.of(1, 1), 1e-6);
});

test('components are dealt out in runs or in turns, the residual comes last', () => {
  const data = matrixWithSpectrum(20, 12, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  const sigmas = (options: LowRankEncodeOptions) =>
    encodeWith(lowRank, f32Tensor([20, 12], data), options, { fragments: 4 }).encoded.payloads.map(
      (payload) => {
        const count = componentsOf(payload);
        if (count === RAW) return 'raw';
        const values = new Float32Array(payload.buffer, 12);
        return Array.from({ length: count }, (_, k) => Math.round(values[k * 33]!));
      },
    );
  assert.equal(sigmas({}), [[12, 11, 10], [9, 8, 7], [6, 5, 4], [3]]);
  assert.equal(sigmas({ rank: 6 }), [[12, 11], [10, 9], [8, 7], []]);
  assert.equal(sigmas({ layout: 'interleaved' }), [
    [12, 8, 4],
    [11, 7, 3],
    [10, 6],
    [9, 5],
  ]);
  assert.equal(sigmas({ residual: true, rank: 6 }), [[12, 11], [10, 9], [8, 7], 'raw']);
});

for (const file of WEIGHT_FILES) {
  test(`${file}: true quality of every prefix and of 20 subsets, and the whole`, () => {
    const random = randomFrom(3);
    const options: LowRankEncodeOptions[] = [
      { rank: 24, residual: true },
      { rank: 24, layout: 'interleaved' },
    ];
    for (const tensor of readWeights(file)) {
      const original = tensor.data;
      // The product is cubic in the smaller side: larger tensors once.
      for (const option of original.length > 20_000 ? options.slice(0, 1) : options) {
        const coded = encodeWith(lowRank, tensor, option);
        const prefix = new LowRankDecoder(coded.request);
        for (let index = 0; index < 8; index++) {
          const out = reconstruct(prefix, coded, [index]);
          const { cosine, fraction } = prefix.quality;
          assert.is(fraction, (index + 1) / 8);
          const truth = cosineSimilarity(original, out);
          assert.ok(Math.abs(cosine! - truth) < 1e-4, `${tensor.name} ${index}: ${cosine} for ${truth}`);
          assert.ok(Math.abs(cosine! - coded.encoded.cosines[index]!) < 1e-6);
        }
        if (option.residual) {
          assert.equal(prefix.quality, { fraction: 1, cosine: 1, relativeError: 0 });
          const error = relativeError(original, reconstruct(prefix, coded, []));
          assert.ok(error < 1e-6, `${tensor.name}: ${error}`);
        }
        for (let run = 0; run < 20; run++) {
          const subset = randomSubset(8, 1 + Math.floor(random() * 7), random);
          const decoder = new LowRankDecoder(coded.request);
          const out = reconstruct(decoder, coded, subset);
          const { cosine, relativeError: error } = decoder.quality;
          assert.ok(Math.abs(cosine! - cosineSimilarity(original, out)) < 1e-4, `${tensor.name} ${subset}`);
          assert.ok(Math.abs(error! - relativeError(original, out)) < 1e-3, `${tensor.name} ${subset}`);
        }
      }
    }
  });
}

test('any shape, rank, layout, number of fragments and order', () => {
  const side = fc.integer({ min: 0, max: 20 });
  const layouts = fc.constantFrom('sequential' as const, 'interleaved' as const);
  fc.assert(
    fc.property(
      side,
      side,
      fc.integer({ min: 1, max: 30 }),
      layouts,
      fc.nat(),
      (rows, cols, count, layout, seed) => {
        const data = noise(rows * cols, seed);
        const options = { layout, rank: 1 + (seed % 25), residual: true };
        const coded = encodeWith(lowRank, f32Tensor([rows, cols], data), options, { fragments: count });
        assert.is(coded.encoded.payloads.length, count);
        assert.is(coded.encoded.cosines.length, count);
        const decoder = new LowRankDecoder(coded.request);
        const order = randomSubset(count, count, randomFrom(seed));
        const out = reconstruct(decoder, coded, [...order, ...order]);
        assert.equal(decoder.quality, { fraction: 1, cosine: 1, relativeError: 0 });
        assertClose(out, data, 1e-6);
      },
    ),
    { numRuns: 80 },
  );
});

test('a norm that the file claims is held against the true norm of the sum', () => {
  // Two equal components, far from orthogonal: the sum is 2 u vᵀ, of norm 2.
  const payload = new Uint8Array(12 + 2 * 4 * 5);
  new Uint32Array(payload.buffer, 0, 3).set([2, 2, 2]);
  new Float32Array(payload.buffer, 12).set([1, 1, 0, 0, 1, 1, 1, 0, 0, 1]);
  const decoder = new LowRankDecoder({
    rows: 2,
    cols: 2,
    dtype: 'F32',
    fragments: 2,
    seed: 0n,
    norm: 4,
    kernels: portableKernels,
  });
  decoder.addFragment(0, payload);
  assert.is(decoder.quality.cosine, 0.5);
});

test('refuses what is malformed or another tensor’s, and stays as it was', () => {
  const tensor = f32Tensor([9, 7], noise(63));
  const coded = encodeWith(lowRank, tensor, { residual: true }, { fragments: 3 });
  const [payload] = coded.encoded.payloads;
  const withNaN = payload!.slice();
  new DataView(withNaN.buffer).setFloat32(withNaN.length - 4, Number.NaN, true);
  const lying = [0, 1, 0xfffffffe, RAW].map((count) => {
    const copy = payload!.slice();
    new DataView(copy.buffer).setUint32(8, count, true);
    return copy;
  });
  const other = encodeWith(lowRank, f32Tensor([7, 9], noise(63)), {}, { fragments: 3 });
  const bad = [
    ...Array.from(payload!, (_, length) => payload!.subarray(0, length)),
    Uint8Array.of(...payload!, 0),
    withNaN,
    ...lying,
    other.encoded.payloads[0]!,
  ];
  for (const before of [[], [1]]) {
    const decoder = new LowRankDecoder(coded.request);
    reconstruct(decoder, coded, before);
    const { quality } = decoder;
    for (const wrong of bad) throws(() => decoder.addFragment(0, wrong), FormatError);
    throws(() => decoder.addFragment(3, payload!), FormatError, /fragment number/);
    assert.equal(decoder.quality, quality);
    assertClose(reconstruct(decoder, coded, [0, 1, 2]), tensor.data as Float32Array, 1e-6);
  }
  throws(
    () => new LowRankDecoder(coded.request).addFragment(0, other.encoded.payloads[0]!),
    FormatError,
    /9 × 7, got 7 × 9/,
  );
});

test('a payload at any address', () => {
  const tensor = f32Tensor([5, 6], noise(30));
  const coded = encodeWith(lowRank, tensor, { residual: true }, { fragments: 2 });
  const payloads = coded.encoded.payloads.map((payload) => Uint8Array.of(0, ...payload).subarray(1));
  const decoder = new LowRankDecoder(coded.request);
  const out = reconstruct(decoder, { ...coded, encoded: { ...coded.encoded, payloads } }, [0, 1]);
  assertClose(out, tensor.data as Float32Array, 1e-6);
});

test('a tensor of zeros is exact at once', () => {
  const coded = encodeWith(lowRank, f32Tensor([4, 4], new Float32Array(16)), {});
  assert.equal(coded.encoded.cosines, new Array(8).fill(1));
  const decoder = new LowRankDecoder(coded.request);
  assert.equal(reconstruct(decoder, coded, [5]), new Float32Array(16));
  assert.is(decoder.quality.cosine, 1);
});

test('says truthfully what order and subsets are worth', () => {
  const flags = (data: Float32Array, options: LowRankEncodeOptions = {}) => {
    const { essentialFirst, interleaved } = encodeWith(lowRank, f32Tensor([32, 32], data), options).encoded;
    return { essentialFirst, interleaved };
  };
  const decaying = matrixWithSpectrum(
    32,
    32,
    Array.from({ length: 32 }, (_, k) => 0.8 ** k),
  );
  const flat = matrixWithSpectrum(32, 32, new Array(32).fill(1));
  assert.equal(flags(decaying), { essentialFirst: true, interleaved: false });
  assert.equal(flags(flat), { essentialFirst: false, interleaved: true });
  assert.equal(flags(noise(1024), { rank: 7, residual: true }), {
    essentialFirst: false,
    interleaved: false,
  });
});

test('bfloat16 weights are encoded as the numbers they are', () => {
  const data = Uint16Array.of(0x3f80, 0xc000, 0x3e80, 0x0000);
  const coded = encodeWith(lowRank, { dtype: 'BF16', shape: [2, 2], data }, {});
  const out = reconstruct(new LowRankDecoder(coded.request), coded, coded.encoded.payloads.keys());
  assertClose(out, Float32Array.of(1, -2, 0.25, 0), 1e-6);
});

test('refuses what it cannot carry, naming the index', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const data = noise(12);
    data[7] = value;
    throws(() => encodeWith(lowRank, f32Tensor([3, 4], data), {}), ArgumentError, /element 7/);
  }
  const huge = new Float32Array(4).fill(3e38);
  throws(() => encodeWith(lowRank, f32Tensor([4], huge), {}), ArgumentError, /norm/);
});

test('refuses options that cannot work', () => {
  const encode = (options: object) => encodeWith(lowRank, f32Tensor([4], noise(4)), options);
  throws(() => encode({ layout: 'diagonal' }), ArgumentError, /got diagonal/);
  for (const rank of [0, -1, 1.5, Number.NaN]) throws(() => encode({ rank }), ArgumentError, /rank/);
  const coded = encodeWith(lowRank, f32Tensor([4], noise(4)), {});
  throws(
    () => new LowRankDecoder(coded.request).reconstruct(new Float32Array(3)),
    ArgumentError,
    /expected 4/,
  );
});

test.run();
