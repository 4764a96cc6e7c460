import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RandomProjectionDecoder } from '../../../../src/encodings/randomProjection/decoder.js';
import { randomProjection } from '../../../../src/encodings/randomProjection/randomProjection.js';
import { ArgumentError, FormatError, LimitError } from '../../../../src/errors.js';
import { dct2d } from '../../../../src/kernels/dct/transforms.js';
import { SeededRng } from '../../../../src/kernels/gaussian/rng.js';
import { portableKernels } from '../../../../src/kernels/portableKernels.js';
import { assertClose, throws } from '../../../helpers/assertions.js';
import { checkSquareRootWorth } from '../../../helpers/checks/squareRootWorth.js';
import {
  assertRefused,
  cosineSimilarity,
  encodeWith,
  f32Tensor,
  matrixOf,
  reconstruct,
  relativeError,
} from '../../../helpers/encodings.js';
import { fixturePayloads, fixtureTensor, holoFixtures } from '../../../helpers/holoFixtures.js';
import { noise } from '../../../helpers/random.js';
import { trainedLike } from '../../../helpers/trained.js';

for (const file of holoFixtures('rph')) {
  const payloads = fixturePayloads(file);
  const fragments = file.totalFragments;
  const seed = BigInt(file.seed!);
  const request = {
    ...matrixOf(file.shape),
    dtype: 'F32',
    fragments,
    seed,
    norm: undefined,
    kernels: portableKernels,
  } as const;

  test(`${file.file}: written anew`, () => {
    const tensor = f32Tensor(file.shape, fixtureTensor(file.source));
    const coded = encodeWith(randomProjection, tensor, { matrix: 'gaussian' }, { fragments, seed });
    coded.encoded.payloads.forEach((payload, index) => {
      const theirs = payloads[index]!;
      assert.equal(payload.subarray(0, 12), theirs.subarray(0, 12));
      assertClose(
        new Float32Array(payload.slice(12).buffer),
        new Float32Array(theirs.slice(12).buffer),
        1e-5,
      );
    });
  });

  test(`${file.file}: least squares finds the tensor itself`, () => {
    const source = fixtureTensor(file.source);
    const decoder = new RandomProjectionDecoder(request, { solver: 'least-squares' });
    for (const [index, payload] of payloads.entries()) decoder.addFragment(index, payload);
    const out = new Float32Array(source.length);
    decoder.reconstruct(out);
    // Square matrices have condition numbers as large as themselves: they magnify the rounding of the reference's f32
    // normals and sums.
    const error = relativeError(source, out);
    assert.ok(error < 1e-4, `${error}`);
  });
}

test('RP01: the layout, coefficient by coefficient', () => {
  const rows = 6;
  const cols = 7;
  const fragments = 4;
  const seed = 2n ** 63n + 5n;
  const data = noise(rows * cols);
  const signs = new SeededRng(seed);
  const signed = data.map((value) => (signs.nextU64() >> 63n === 1n ? -value : value));
  const coefficients = dct2d(signed, rows, cols, { kernels: portableKernels });
  const rotations = new SeededRng((seed + 0x9e3779b97f4a7c15n) % 2n ** 64n);
  const parts: number[][] = Array.from({ length: fragments }, () => []);
  let rotation = 0;
  coefficients.forEach((value, p) => {
    if (p % fragments === 0) rotation = Number((rotations.nextU64() >> 33n) % BigInt(fragments));
    parts[(p + rotation) % fragments]!.push(value);
  });
  const { encoded } = encodeWith(randomProjection, f32Tensor([rows, cols], data), {}, { fragments, seed });
  encoded.payloads.forEach((payload, index) => {
    const header = [0x31305052, rows * cols, fragments, index, parts[index]!.length];
    assert.equal([...new Uint32Array(payload.slice(0, 20).buffer)], header);
    assert.equal([...new Float32Array(payload.slice(20).buffer)], parts[index]);
  });
});

test('RP01: k of 8 fragments are worth sqrt(k/8), wild outliers or not', () => {
  checkSquareRootWorth(f32Tensor([128, 64, 3], trainedLike([128, 64, 3])));
});

test('Gaussian: the reported cosines are those of the back-projection', () => {
  const tensor = f32Tensor([12, 10], noise(120));
  const coded = encodeWith(randomProjection, tensor, { matrix: 'gaussian' }, { fragments: 3, seed: 6n });
  const decoder = new RandomProjectionDecoder(coded.request);
  for (let index = 0; index < 3; index++) {
    const out = reconstruct(decoder, coded, [index]);
    const truth = cosineSimilarity(tensor.data as Float32Array, out);
    assert.ok(Math.abs(coded.encoded.cosines[index]! - truth) < 1e-6);
  }
  assert.is(decoder.quality.cosine, undefined, 'the rows are not orthogonal');
});

test('Gaussian, least squares: true quality of any subset, once reconstructed', () => {
  const data = noise(90);
  const options = { matrix: 'gaussian', rowsPerFragment: 30 } as const;
  const coded = encodeWith(randomProjection, f32Tensor([90], data), options, { fragments: 3, seed: 6n });
  for (const subset of [[0], [2], [2, 0], [1, 0, 2]]) {
    const decoder = new RandomProjectionDecoder(coded.request, { solver: 'least-squares' });
    for (const index of subset) decoder.addFragment(index, coded.encoded.payloads[index]!);
    assert.is(decoder.quality.cosine, undefined);
    const out = reconstruct(decoder, coded, []);
    const { cosine, relativeError: error } = decoder.quality;
    assert.ok(Math.abs(cosine! - cosineSimilarity(data, out)) < 1e-5);
    assert.ok(Math.abs(error! - relativeError(data, out)) < 1e-3);
    // A projection on 30 of 90 dimensions keeps a third of the energy, give or take.
    assert.ok(Math.abs(cosine! ** 2 - subset.length / 3) < 0.2, `${cosine}`);
  }
});

test('Gaussian: empty tensors and more fragments than elements', () => {
  for (const length of [0, 1, 3]) {
    const data = noise(length);
    const tensor = f32Tensor([length], data);
    const coded = encodeWith(randomProjection, tensor, { matrix: 'gaussian' }, { fragments: 5 });
    const decoder = new RandomProjectionDecoder(coded.request, { solver: 'least-squares' });
    assertClose(reconstruct(decoder, coded, [4, 1, 0]), data, 1e-5);
  }
});

test('tensors of zeros and of the smallest numbers', () => {
  for (const matrix of ['orthonormal', 'gaussian'] as const) {
    for (const value of [0, 2 ** -149]) {
      const data = new Float32Array(30).fill(value);
      const coded = encodeWith(randomProjection, f32Tensor([30], data), { matrix }, { fragments: 3 });
      assert.ok(coded.encoded.cosines.every((cosine) => cosine >= 0 && cosine <= 1));
      const decoder = new RandomProjectionDecoder(coded.request);
      assert.ok(reconstruct(decoder, coded, [2, 0, 1]).every((v) => Math.abs(v) <= 30 * value));
    }
  }
});

test('refuses what is malformed or another tensor’s, and stays as it was', () => {
  const data = noise(63);
  const tensor = f32Tensor([9, 7], data);
  for (const matrix of ['orthonormal', 'gaussian'] as const) {
    const coded = encodeWith(randomProjection, tensor, { matrix }, { fragments: 3, seed: 4n });
    const [payload] = coded.encoded.payloads;
    const withNaN = payload!.slice();
    new DataView(withNaN.buffer).setFloat32(withNaN.length - 4, Number.NaN, true);
    const other =
      matrix === 'gaussian'
        ? encodeWith(randomProjection, tensor, { matrix }, { fragments: 3, seed: 5n })
        : encodeWith(randomProjection, f32Tensor([9, 8], noise(72)), {}, { fragments: 3 });
    const bad = [
      ...Array.from(payload!, (_, length) => payload!.subarray(0, length)),
      Uint8Array.of(...payload!, 0),
      withNaN,
      coded.encoded.payloads[1]!,
      other.encoded.payloads[0]!,
    ];
    const createDecoder = () => new RandomProjectionDecoder(coded.request, { solver: 'least-squares' });
    assertRefused(createDecoder, coded, bad, (whole) => assertClose(whole, data, 1e-5));
  }
});

test('Gaussian: all fragments have the same number of rows', () => {
  const data = f32Tensor([20], noise(20));
  const encode = (rowsPerFragment: number) =>
    encodeWith(randomProjection, data, { matrix: 'gaussian', rowsPerFragment }, { fragments: 2 });
  const coded = encode(5);
  const decoder = new RandomProjectionDecoder(coded.request);
  decoder.addFragment(0, coded.encoded.payloads[0]!);
  throws(() => decoder.addFragment(1, encode(6).encoded.payloads[1]!), FormatError, /expected 5, got 6/);
});

test('a fragment of the other matrix is refused', () => {
  const tensor = f32Tensor([6, 6], noise(36));
  const coded = encodeWith(randomProjection, tensor, {});
  const gaussian = encodeWith(randomProjection, tensor, { matrix: 'gaussian' });
  const decoder = new RandomProjectionDecoder(coded.request);
  decoder.addFragment(0, coded.encoded.payloads[0]!);
  throws(() => decoder.addFragment(1, gaussian.encoded.payloads[1]!), FormatError, /expected orthonormal/);
});

test('Gaussian: what takes minutes is refused unless forced, and the way out is named', () => {
  const large = f32Tensor([512, 512], noise(512 * 512));
  const encode = () => encodeWith(randomProjection, large, { matrix: 'gaussian' });
  throws(encode, LimitError, /use matrix 'orthonormal', or force it/);
  const small = f32Tensor([4], noise(4));
  const rowsPerFragment = 2 ** 20;
  const options = { matrix: 'gaussian', rowsPerFragment } as const;
  throws(() => encodeWith(randomProjection, small, options, { fragments: 2000 }), LimitError);
});

test('refuses what it cannot carry, naming the index', () => {
  for (const matrix of ['orthonormal', 'gaussian'] as const) {
    const data = noise(12);
    data[7] = Number.NaN;
    throws(() => encodeWith(randomProjection, f32Tensor([12], data), { matrix }), ArgumentError, /element 7/);
  }
});

test('refuses options that cannot work', () => {
  const tensor = f32Tensor([4], noise(4));
  const encode = (options: object, seed = 0n) => encodeWith(randomProjection, tensor, options, { seed });
  throws(() => encode({ matrix: 'sparse' }), ArgumentError, /got sparse/);
  throws(() => encode({ matrix: 'gaussian', rowsPerFragment: 0 }), ArgumentError, /value of rowsPerFragment/);
  // One of the generators of these seeds yields zeros for ever.
  const dead = 2n ** 64n - 1n;
  throws(() => encode({}, dead), ArgumentError, /all zero/);
  throws(() => encode({}, dead - 0x9e3779b97f4a7c15n), ArgumentError, /all zero/);
  const third = BigInt.asUintN(64, dead - 3n * 0x9e3779b97f4a7c15n);
  throws(() => encode({ matrix: 'gaussian' }, third), ArgumentError, /all zero/);
  encode({}, third);
});

test.run();
