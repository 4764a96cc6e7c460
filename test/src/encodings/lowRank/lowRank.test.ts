import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadDecodings } from '../../../../src/encodings/decodings.js';
import { LowRankDecoder } from '../../../../src/encodings/lowRank/decoder.js';
import { type LowRankEncodeOptions, lowRank } from '../../../../src/encodings/lowRank/lowRank.js';
import { loadDtype } from '../../../../src/encodings/otherDtypes.js';
import { ArgumentError, FormatError } from '../../../../src/errors.js';
import { HoloTensorDecoder } from '../../../../src/holotensor/decoder.js';
import { HoloTensorEncoder } from '../../../../src/holotensor/encoder.js';
import { loadKernels } from '../../../../src/kernels/loadKernels.js';
import { portableKernels } from '../../../../src/kernels/portableKernels.js';
import { viewBytes } from '../../../../src/tensor/tensor.js';
import { assertClose, throws } from '../../../helpers/assertions.js';
import { assertRefused, encodeWith, f32Tensor, reconstruct } from '../../../helpers/encodings.js';
import { fixturePayloads, fixtureTensor, holoFixtures } from '../../../helpers/holoFixtures.js';
import { matrixWithSpectrum } from '../../../helpers/linalg.js';
import { noise } from '../../../helpers/random.js';

const RAW = 0xffffffff;

function componentsOf(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(8, true);
}

for (const file of holoFixtures('lrdf')) {
  const payloads = fixturePayloads(file);
  test(`${file.file}: written anew`, () => {
    const tensor = f32Tensor(file.shape, fixtureTensor(file.source));
    const raw = componentsOf(payloads[0]!) === RAW;
    const coded = encodeWith(lowRank, tensor, { residual: raw }, { fragments: payloads.length });
    // The reference computes components that are only rounding; here they are left out. All others are distributed in the same way.
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

test('components are distributed in runs or interleaved, the residual comes last', () => {
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
  const bad = [withNaN, ...lying, other.encoded.payloads[0]!];
  assertRefused(
    () => new LowRankDecoder(coded.request),
    coded,
    bad,
    (whole) => {
      assertClose(whole, tensor.data as Float32Array, 1e-6);
    },
  );
  throws(
    () => new LowRankDecoder(coded.request).addFragment(0, other.encoded.payloads[0]!),
    FormatError,
    /9 × 7, got 7 × 9/,
  );
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

test('a vector of 16 million elements of a byte', async () => {
  const kernels = await loadKernels();
  const tensor = { dtype: 'F8_E5M2', shape: [2 ** 24], data: new Uint8Array(2 ** 24).fill(0x3c) } as const;
  const coded = new HoloTensorEncoder('low-rank', { fragments: 1, kernels }).encodeTensor(tensor);
  assertClose(coded.cosines, [1], 1e-9);
  await loadDecodings(['low-rank']);
  await loadDtype(tensor.dtype);
  const decoder = new HoloTensorDecoder(coded.header, { kernels });
  decoder.addFragment(coded.fragments[0]!);
  assert.equal(viewBytes(decoder.reconstructTensor().data), tensor.data);
});

test('refuses options that cannot work', () => {
  const encode = (options: object) => encodeWith(lowRank, f32Tensor([4], noise(4)), options);
  throws(() => encode({ layout: 'diagonal' }), ArgumentError, /got diagonal/);
  for (const rank of [0, -1, 1.5, Number.NaN]) throws(() => encode({ rank }), ArgumentError, /value of rank/);
});

test.run();
