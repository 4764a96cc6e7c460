import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ArgumentError,
  ChecksumError,
  FormatError,
  TruncatedError,
  UnsupportedError,
} from '../../../src/errors.js';
import {
  fragmentCount,
  type HoloTensorHeader,
  parseHoloTensorHeader,
} from '../../../src/holotensor/header.js';
import { DEFAULT_QUALITY_CURVES, QualityCurve } from '../../../src/holotensor/quality.js';
import { serializeHoloTensorHeader } from '../../../src/holotensor/serializeHeader.js';
import { xxh3 } from '../../../src/kernels/xxh3/checksum.js';
import { throws } from '../../helpers/assertions.js';
import { readReference } from '../../helpers/fixtures.js';
import { holoFixtures } from '../../helpers/holoFixtures.js';

const ENCODINGS = { spectral: 'spectral', rph: 'random-projection', lrdf: 'low-rank' } as const;
const fixtures = (['spectral', 'rph', 'lrdf'] as const).flatMap(holoFixtures);

for (const { file, encoding, shape, totalFragments, seed } of fixtures) {
  test(`${file}: header as in the manifest, and written to the byte`, () => {
    const bytes = readReference(file).subarray(0, 96);
    const header = parseHoloTensorHeader(bytes);
    assert.is(header.encoding, ENCODINGS[encoding]);
    assert.equal(header.shape, shape);
    assert.is(header.totalFragments, totalFragments);
    assert.is(fragmentCount(header), Math.max(1, totalFragments));
    assert.is(header.seed, BigInt(seed ?? 0));
    assert.is(header.dtype, 'F32');
    assert.is(header.norm, undefined);
    assert.equal(serializeHoloTensorHeader(header), bytes);
  });
}

const HEADER: HoloTensorHeader = {
  encoding: 'spectral',
  compression: 'zstd',
  flags: 0x0003,
  totalFragments: 8,
  originalSize: 2 * 3 * 5 * 7 * 2,
  seed: 2n ** 64n - 1n,
  dtype: 'BF16',
  shape: [2, 3, 5, 7],
  qualityCurve: DEFAULT_QUALITY_CURVES.spectral,
  norm: 2.5,
  quantization: undefined,
};

/** A header with other bytes and a checksum that fits them. */
function altered(alter: (view: DataView) => void): Uint8Array {
  const bytes = serializeHoloTensorHeader(HEADER);
  const view = new DataView(bytes.buffer);
  alter(view);
  view.setBigUint64(88, xxh3(bytes.subarray(0, 88)), true);
  return bytes;
}

test('every field comes back', () => {
  const header = parseHoloTensorHeader(serializeHoloTensorHeader(HEADER));
  assert.is(header.flags, 0x0043, 'the norm has its flag');
  assert.is(header.qualityCurve.minimum, HEADER.qualityCurve.minimum);
  assert.equal(header.qualityCurve.coefficients, HEADER.qualityCurve.coefficients);
  const { flags, qualityCurve, ...rest } = header;
  const { flags: _, qualityCurve: __, ...expected } = HEADER;
  assert.equal(rest, expected);
});

test('a header without checksum is read, unless a checksum stands there', () => {
  const bytes = serializeHoloTensorHeader({ ...HEADER, flags: 0 });
  assert.equal(bytes.subarray(88), new Uint8Array(8));
  assert.is(parseHoloTensorHeader(bytes).flags, 0x0040);
  const unflagged = serializeHoloTensorHeader(HEADER);
  unflagged[10]! &= ~1;
  throws(() => parseHoloTensorHeader(unflagged), ChecksumError);
});

test('no flipped bit goes unnoticed', () => {
  const bytes = serializeHoloTensorHeader(HEADER);
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    const error = throws(() => parseHoloTensorHeader(flipped), Error);
    assert.ok(error instanceof FormatError || error instanceof UnsupportedError, `bit ${bit}: ${error}`);
  }
});

test('what cannot be is refused, also with a right checksum', () => {
  throws(() => parseHoloTensorHeader(altered((v) => v.setUint32(0, 1))), FormatError, /magic/);
  throws(() => parseHoloTensorHeader(altered((v) => v.setUint32(4, 2, true))), UnsupportedError, /version/);
  throws(() => parseHoloTensorHeader(altered((v) => v.setUint8(8, 77))), FormatError, /encoding/);
  throws(() => parseHoloTensorHeader(altered((v) => v.setUint8(9, 2))), FormatError, /compression/);
  throws(() => parseHoloTensorHeader(altered((v) => v.setUint8(32, 7))), FormatError, /dtype/);
  for (const rank of [5, 255]) {
    const error = throws(
      () => parseHoloTensorHeader(altered((v) => v.setUint8(33, rank))),
      FormatError,
      /rank/,
    );
    assert.is(error.actual, rank);
  }
  throws(() => parseHoloTensorHeader(altered((v) => v.setUint8(41, 1))), FormatError, /dimension 0/);
  throws(
    () => parseHoloTensorHeader(altered((v) => v.setUint32(16, 421, true))),
    FormatError,
    /original size/,
  );
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const curve = altered((v) => v.setFloat32(74, value, true));
    throws(() => parseHoloTensorHeader(curve), FormatError, /wrong quality curve.*byte 66/);
  }
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
    const norm = altered((v) => v.setFloat32(82, value, true));
    throws(() => parseHoloTensorHeader(norm), FormatError, /wrong norm.*byte 82/);
  }
  throws(() => parseHoloTensorHeader(new Uint8Array(95)), TruncatedError);
});

test('what no header can hold is not written', () => {
  const write = (change: Partial<HoloTensorHeader>) => () =>
    serializeHoloTensorHeader({ ...HEADER, ...change });
  throws(write({ shape: [1, 1, 1, 1, 1] }), ArgumentError, /rank/);
  for (const totalFragments of [65536, -1, 1.5]) {
    throws(write({ totalFragments }), ArgumentError, /value of totalFragments: .* 0 to 65535/);
  }
  throws(write({ seed: 2n ** 64n }), ArgumentError, /value of seed/);
  throws(write({ flags: 65536 }), ArgumentError, /value of flags/);
  throws(write({ shape: [-1] }), ArgumentError, /value of shape/);
  const qualityCurve = new QualityCurve([0, 1e39, 0, 0], 1);
  throws(write({ qualityCurve }), ArgumentError, /value of coefficients/);
  throws(write({ norm: 1e39 }), ArgumentError, /value of norm/);
  throws(write({ norm: -1 }), ArgumentError, /value of norm/);
});

test.run();
