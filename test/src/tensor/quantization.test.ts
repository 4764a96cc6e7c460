import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError, FormatError, TruncatedError } from '../../../src/errors.js';
import { dequantize } from '../../../src/tensor/dequantize.js';
import { float32ToHalf, halfToFloat32 } from '../../../src/tensor/float.js';
import { unpackInt4 } from '../../../src/tensor/int4.js';
import {
  groupScaleCount,
  parseQuantizationMetadata,
  QUANTIZATION_METADATA_SIZE,
  QUANTIZATION_SCHEMES,
  type QuantizationMetadata,
} from '../../../src/tensor/quantization.js';
import { serializeQuantizationMetadata } from '../../../src/tensor/serializeQuantization.js';
import { throws } from '../../helpers/assertions.js';
import { readReference } from '../../helpers/fixtures.js';

/** Where the metadata lies in an HCT file that has some: behind the 64-byte header. */
const HCT_METADATA_OFFSET = 64;

const symmetric: QuantizationMetadata = {
  scheme: 'symmetric-int8',
  perGroupScales: false,
  scaleBits: 8217,
  zeroPoint: 0,
  groupSize: 0,
};
const gptq: QuantizationMetadata = {
  scheme: 'gptq-int4',
  perGroupScales: true,
  scaleBits: 15360,
  zeroPoint: -8,
  groupSize: 128,
};

for (const [file, expected] of [
  ['hct/v2-zstd-i8-2d.hct', symmetric],
  ['hct/v2-lz4-i4-2d.hct', gptq],
] as const) {
  test(`metadata of ${file}: fields as in the manifest, and the same bytes again`, () => {
    const bytes = readReference(file);
    const metadata = parseQuantizationMetadata(bytes, HCT_METADATA_OFFSET);
    assert.equal(metadata, expected);
    assert.equal(
      serializeQuantizationMetadata(metadata),
      bytes.slice(HCT_METADATA_OFFSET, HCT_METADATA_OFFSET + QUANTIZATION_METADATA_SIZE),
    );
  });
}

test('every scheme and the ends of every field survive the way to bytes and back', () => {
  for (const scheme of QUANTIZATION_SCHEMES) {
    for (const zeroPoint of [-128, -1, 0, 127]) {
      for (const groupSize of [0, 1, 0xffffff]) {
        const metadata = { scheme, perGroupScales: groupSize === 1, scaleBits: 0xffff, zeroPoint, groupSize };
        assert.equal(parseQuantizationMetadata(serializeQuantizationMetadata(metadata)), metadata);
      }
    }
  }
});

test('refuses metadata that is cut short or means nothing', () => {
  const bytes = serializeQuantizationMetadata(gptq);
  for (let length = 0; length < bytes.length; length++) {
    throws(() => parseQuantizationMetadata(bytes.subarray(0, length)), TruncatedError);
  }
  throws(() => parseQuantizationMetadata(bytes, 1), TruncatedError, /byte 1.*expected 8, got 7/);
  throws(() => parseQuantizationMetadata(Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0)), FormatError, /got 5/);
  throws(() => parseQuantizationMetadata(Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 0)), FormatError, /got 2/);
});

test('refuses to write what its field cannot hold', () => {
  for (const wrong of [
    { scheme: 'int2' },
    { scaleBits: 65536 },
    { scaleBits: 0.5 },
    { zeroPoint: 128 },
    { zeroPoint: -129 },
    { groupSize: 0x1000000 },
    { groupSize: -1 },
  ]) {
    const metadata = { ...symmetric, ...wrong } as QuantizationMetadata;
    throws(() => serializeQuantizationMetadata(metadata), ArgumentError);
  }
});

test('a tensor-wide scale: the reference’s int8 tensor', () => {
  const values = new Int8Array(readReference('hct/v2-zstd-i8-2d.raw').buffer);
  const weights = dequantize(values, { metadata: symmetric });
  // 8217 = 0x2019: exponent 8, mantissa 25.
  const scale = 2 ** (8 - 15) * (1 + 25 / 1024);
  assert.equal(
    weights,
    Float32Array.from(values, (value) => value * scale),
  );
});

test('per-group scales and a zero point: the reference’s int4 tensor', () => {
  const values = unpackInt4(readReference('hct/v2-lz4-i4-2d.raw'), 60 * 64);
  const groups = groupScaleCount(gptq, values.length);
  assert.is(groups, 30);
  const groupScales = float32ToHalf(Float32Array.from({ length: groups }, (_, g) => 2 ** -g * 1.5));
  const weights = dequantize(values, { metadata: gptq, groupScales });
  const scales = halfToFloat32(groupScales);
  for (const [i, value] of values.entries()) {
    assert.is(weights[i], Math.fround((value + 8) * scales[Math.floor(i / 128)]!));
  }
});

test('the last group may be shorter; group size 0 is one group; no elements need no scales', () => {
  const metadata = { ...gptq, groupSize: 3, zeroPoint: 0 };
  const halves = (...scales: number[]) => float32ToHalf(Float32Array.from(scales));
  const ints = Int8Array.of(1, 2, 3, 4);
  assert.is(groupScaleCount(metadata, 4), 2);
  assert.equal(dequantize(ints, { metadata, groupScales: halves(1, 0.5) }), Float32Array.of(1, 2, 3, 2));
  const whole = { ...metadata, groupSize: 0 };
  assert.equal(dequantize(ints, { metadata: whole, groupScales: halves(2) }), Float32Array.of(2, 4, 6, 8));
  // As many as groupScaleCount says: the scale of the metadata, 1, is that of the one group.
  assert.equal(dequantize(ints, { metadata: whole, groupScales: halves() }), Float32Array.from(ints));
  const nothing = dequantize(new Int8Array(0), { metadata, groupScales: halves() });
  assert.equal(nothing, new Float32Array(0));
});

test('refuses a wrong number of scales and a wrong output', () => {
  throws(() => dequantize(new Int8Array(129), { metadata: gptq }), ArgumentError, /expected 2, got none/);
  const groupScales = new Uint16Array(3);
  throws(() => dequantize(new Int8Array(129), { metadata: gptq, groupScales }), ArgumentError, /got 3/);
  throws(() => dequantize(new Int8Array(4), { metadata: symmetric }, new Float32Array(5)), ArgumentError);
});

test.run();
