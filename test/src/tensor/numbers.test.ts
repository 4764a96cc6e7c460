import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError } from '../../../src/errors.js';
import type { DType } from '../../../src/tensor/dtype.js';
import { fromFloat32 } from '../../../src/tensor/numbers.js';
import type { Tensor } from '../../../src/tensor/tensor.js';
import { toFloat32 } from '../../../src/tensor/toFloat32.js';
import { throws } from '../../helpers/assertions.js';

const values = Float32Array.of(-8, -0.5, 0, 1.5, 7);
const metadata = {
  scheme: 'symmetric-int8',
  perGroupScales: false,
  scaleBits: 0x3800, // one half
  zeroPoint: 1,
  groupSize: 0,
} as const;

const tensors: readonly Tensor<DType>[] = [
  { dtype: 'F32', shape: [5], data: values },
  { dtype: 'F16', shape: [5, 1], data: Uint16Array.of(0xc800, 0xb800, 0, 0x3e00, 0x4700) },
  { dtype: 'BF16', shape: [1, 5], data: Uint16Array.of(0xc100, 0xbf00, 0, 0x3fc0, 0x40e0) },
];

for (const tensor of tensors) {
  test(`${tensor.dtype} to numbers and back`, () => {
    assert.equal(toFloat32(tensor), values);
    const out = new Float32Array(5);
    assert.is(toFloat32(tensor, { out }), out);
    assert.equal(out, values);
    assert.equal(fromFloat32(tensor.dtype, values), tensor.data);
  });
}

test('F32 is not copied', () => {
  const tensor: Tensor<DType> = { dtype: 'F32', shape: [5], data: values };
  assert.is(toFloat32(tensor).buffer, values.buffer);
  assert.is(fromFloat32('F32', values), values);
});

test('integers become the numbers they are, or weights', () => {
  const bytes: Tensor<DType> = { dtype: 'I8', shape: [3], data: Int8Array.of(-128, 1, 127) };
  const nibbles: Tensor<DType> = { dtype: 'I4', shape: [3], data: Uint8Array.of(0x18, 0x07) };
  assert.equal(toFloat32(bytes), Float32Array.of(-128, 1, 127));
  assert.equal(toFloat32(nibbles), Float32Array.of(-8, 1, 7));
  const out = new Float32Array(3);
  assert.is(toFloat32(bytes, { quantization: { metadata }, out }), out);
  assert.equal(out, Float32Array.of(-64.5, 0, 63));
  assert.equal(toFloat32(nibbles, { quantization: { metadata } }), Float32Array.of(-4.5, 0, 3));
  const none = { metadata: { ...metadata, scheme: 'none' } } as const;
  assert.equal(toFloat32(nibbles, { quantization: none }), Float32Array.of(-8, 1, 7));
});

test('numbers become integers by rounding to nearest even and clamping', () => {
  const numbers = Float32Array.of(
    -1e9,
    -129,
    -2.5,
    -1.5,
    -0.5,
    0.5,
    1.5,
    2.4999998,
    1e9,
    Infinity,
    -Infinity,
  );
  assert.equal(fromFloat32('I8', numbers), Int8Array.of(-128, -128, -2, -2, 0, 0, 2, 2, 127, 127, -128));
  assert.equal(fromFloat32('I4', Float32Array.of(-9, 8.5, 3.5)), Uint8Array.of(0x78, 0x04));
  throws(
    () => fromFloat32('I8', Float32Array.of(0, Number.NaN)),
    ArgumentError,
    /^Cannot round element 1 to an integer: it is NaN$/,
  );
});

for (const dtype of ['F8_E4M3', 'F8_E5M2'] as const) {
  test(`${dtype}: numbers are rounded to the nearest, ties to even, and clamped`, () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const known = toFloat32({ dtype, shape: [256], data: all });
    const finite = [...all].filter((byte) => Number.isFinite(known[byte]));
    const back = fromFloat32(
      dtype,
      Float32Array.from(finite, (byte) => known[byte]!),
    );
    assert.equal(back, Uint8Array.from(finite));
    const nearest = (value: number) => {
      const sign = value < 0 || Object.is(value, -0) ? 0x80 : 0;
      const distance = (byte: number) => Math.abs(known[byte]! - value);
      return finite
        .filter((byte) => (byte & 0x80) === sign)
        .reduce((best, byte) =>
          distance(byte) < distance(best) || (distance(byte) === distance(best) && byte % 2 === 0)
            ? byte
            : best,
        );
    };
    const sorted = finite.filter((byte) => byte < 0x80).map((byte) => known[byte]!);
    const ties = sorted.slice(1).map((value, i) => (value + sorted[i]!) / 2);
    const around = ties.flatMap((tie) => [tie, -tie, tie * (1 + 2 ** -22), tie * (1 - 2 ** -22)]);
    const random = Array.from({ length: 2000 }, (_, i) => Math.sin(i) * 2 ** ((i % 40) - 20));
    const values = Float32Array.from([...around, ...random, 1e-45, -1e-45, 1e6, -1e6, 0, -0]);
    assert.equal(fromFloat32(dtype, values), Uint8Array.from(values, nearest));
    const special = fromFloat32(dtype, Float32Array.of(Number.NaN, Infinity, -Infinity));
    const numbers = [...toFloat32({ dtype, shape: [3], data: special })];
    const infinity = dtype === 'F8_E5M2' ? Infinity : Number.NaN;
    assert.equal(numbers, [Number.NaN, infinity, -infinity]);
  });
}

test('refuses data that does not fit the shape, outputs that do not fit the data, quantized floats', () => {
  throws(() => toFloat32({ dtype: 'F16', shape: [5], data: new Uint16Array(4) }), ArgumentError, /10, got 8/);
  throws(() => toFloat32({ dtype: 'I4', shape: [5], data: new Uint8Array(2) }), ArgumentError, /3, got 2/);
  for (const tensor of tensors) {
    throws(
      () => toFloat32(tensor, { out: new Float32Array(6) }),
      ArgumentError,
      /of length 5, got a Float32Array of length 6$/,
    );
    throws(() => toFloat32(tensor, { quantization: { metadata } }), ArgumentError, /I8 or I4/);
  }
});

test.run();
