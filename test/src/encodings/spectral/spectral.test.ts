import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SpectralDecoder, type SpectralLayout } from '../../../../src/encodings/spectral/decoder.js';
import { spectral } from '../../../../src/encodings/spectral/spectral.js';
import { ArgumentError, FormatError, LimitError } from '../../../../src/errors.js';
import { assertClose, throws } from '../../../helpers/assertions.js';
import { assertRefused, encodeWith, f32Tensor, reconstruct } from '../../../helpers/encodings.js';
import { fixturePayloads, fixtureTensor, holoFixtures } from '../../../helpers/holoFixtures.js';
import { noise } from '../../../helpers/random.js';

const LAYOUTS: readonly SpectralLayout[] = ['raster', 'ranked', 'essential'];

for (const file of holoFixtures('spectral')) {
  const payloads = fixturePayloads(file);
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
      withNaN,
      // SV01 says neither how many fragments there are nor which one it is.
      ...others.slice(0, layout === 'essential' ? 0 : 2).map(({ encoded }) => encoded.payloads[0]!),
    ];
    const createDecoder = () => new SpectralDecoder(coded.request);
    assertRefused(createDecoder, coded, bad, (whole) => {
      assertClose(whole, tensor.data as Float32Array, 1e-6);
    });
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

test('refuses options that cannot work', () => {
  const encode = (options: object) => encodeWith(spectral, f32Tensor([4], noise(4)), options);
  throws(() => encode({ layout: 'diagonal' }), ArgumentError, /got diagonal/);
  throws(
    () => encode({ essentialRatio: 0.5 }),
    ArgumentError,
    /essentialRatio requires the layout "essential"/,
  );
  throws(() => encode({ layout: 'essential', essentialRatio: 1.5 }), ArgumentError, /got 1.5/);
});

test.run();
