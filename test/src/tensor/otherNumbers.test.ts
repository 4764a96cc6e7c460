import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError, UnsupportedError } from '../../../src/errors.js';
import { SeededRng } from '../../../src/kernels/gaussian/rng.js';
import { SAFETENSORS_DTYPES } from '../../../src/safetensors/header.js';
import { halfToFloat32 } from '../../../src/tensor/float.js';
import { toFloat16 } from '../../../src/tensor/float16.js';
import { OTHER_FLOATS } from '../../../src/tensor/otherFloats.js';
import type { TensorData } from '../../../src/tensor/tensor.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { toFloat32 } from '../../../src/tensor/toFloat32.js';
import { throws } from '../../helpers/assertions.js';

const test = suite('elements of all dtypes as numbers');

const numbers = (dtype: string, data: TensorData) => toFloat32({ dtype, shape: [data.length], data });

/** The same, NaNs and signs of zeros included. */
function assertSame(actual: ArrayLike<number>, expected: ArrayLike<number>, name = ''): void {
  const differs = Array.from(expected).findIndex((value, i) => !Object.is(actual[i], value));
  assert.is(differs, -1, `${name} [${differs}]: ${actual[differs]} for ${expected[differs]}`);
  assert.is(actual.length, expected.length);
}

/** All patterns of eight bits. */
const BYTES = Uint8Array.from({ length: 256 }, (_, i) => i);

test('integers and booleans', () => {
  const cases: [string, TensorData, number[]][] = [
    ['BOOL', Uint8Array.of(0, 1, 255), [0, 1, 1]],
    ['U8', Uint8Array.of(0, 127, 255), [0, 127, 255]],
    ['I8', Int8Array.of(-128, 0, 127), [-128, 0, 127]],
    ['U16', Uint16Array.of(0, 65535), [0, 65535]],
    ['I16', Int16Array.of(-32768, 32767), [-32768, 32767]],
    ['U32', Uint32Array.of(0, 2 ** 24, 2 ** 32 - 1), [0, 2 ** 24, 2 ** 32]],
    ['I32', Int32Array.of(-(2 ** 31), -1, 2 ** 24 + 1), [-(2 ** 31), -1, 2 ** 24]],
    ['U64', BigUint64Array.of(0n, 1n, 2n ** 63n, 2n ** 64n - 1n), [0, 1, 2 ** 63, 2 ** 64]],
    ['I64', BigInt64Array.of(-(2n ** 63n), -1n, 0n, 2n ** 62n), [-(2 ** 63), -1, 0, 2 ** 62]],
  ];
  for (const [dtype, data, expected] of cases) {
    assertSame(numbers(dtype, data), Float32Array.from(expected), dtype);
  }
});

test('F64: exact where float32 can hold it, else the nearest, ties to even', () => {
  const data = Float64Array.of(
    1.5,
    -0,
    Infinity,
    NaN,
    1 + 2 ** -24,
    1 + 3 * 2 ** -24,
    1e300,
    2 ** -149,
    1e-60,
  );
  const expected = [1.5, -0, Infinity, NaN, 1, 1 + 2 ** -22, Infinity, 2 ** -149, 0];
  assertSame(numbers('F64', data), Float32Array.from(expected));
});

/** The float32 nearest to an integer, ties to even, by comparing it with candidates exactly. */
function nearest(value: bigint): number {
  const bits = new Uint32Array(1);
  const float = new Float32Array(bits.buffer);
  float[0] = Number(value < 0n ? -value : value);
  const magnitude = value < 0n ? -value : value;
  if (magnitude <= 2n ** 24n) return Number(value);
  const around = [-1, 0, 1].map((step) => {
    const candidate = new Uint32Array([bits[0]! + step]);
    return { pattern: candidate[0]!, value: new Float32Array(candidate.buffer)[0]! };
  });
  const distance = (one: number) => {
    const difference = BigInt(one) - magnitude;
    return difference < 0n ? -difference : difference;
  };
  around.sort((a, b) => {
    const [left, right] = [distance(a.value), distance(b.value)];
    return left < right ? -1 : left > right ? 1 : (a.pattern & 1) - (b.pattern & 1);
  });
  return value < 0n ? -around[0]!.value : around[0]!.value;
}

test('64-bit integers are rounded once', () => {
  const random = new SeededRng(5n);
  const values = [
    // Through a double, these would come to a tie and round to even.
    2n ** 54n + 2n ** 30n + 1n,
    2n ** 60n + 2n ** 36n + 1n,
    2n ** 60n + 2n ** 36n - 1n,
    2n ** 60n + 2n ** 36n,
    2n ** 60n + 3n * 2n ** 36n,
    2n ** 63n - 1n,
  ];
  for (let i = 0; i < 20_000; i++) values.push(random.nextU64() >> BigInt(1 + (i % 40)));
  const unsigned = values.map((value) => value << 1n);
  assertSame(numbers('I64', BigInt64Array.from(values)), Float32Array.from(values, nearest));
  const negative = values.map((value) => -value);
  assertSame(numbers('I64', BigInt64Array.from(negative)), Float32Array.from(negative, nearest));
  assertSame(numbers('U64', BigUint64Array.from(unsigned)), Float32Array.from(unsigned, nearest));
});

test('8-bit floats: every pattern, as half precision with another bias', () => {
  const half = (patterns: number[]) => halfToFloat32(Uint16Array.from(patterns));
  const patterns = [...BYTES];
  // The fields of E4M3 are the lower ones of half precision, those of E5M2 are its upper byte.
  const e4m3 = half(patterns.map((byte) => ((byte & 0x80) << 8) | ((byte & 0x7f) << 7)));
  const e5m2 = half(patterns.map((byte) => byte << 8));
  const shifted = (values: Float32Array, factor: number, nan: (byte: number) => boolean) =>
    values.map((value, byte) => (nan(byte) ? NaN : value * factor));
  assertSame(numbers('F8_E5M2', BYTES), e5m2);
  assertSame(
    numbers('F8_E4M3', BYTES),
    shifted(e4m3, 2 ** 8, (byte) => (byte & 0x7f) === 0x7f),
  );
  assertSame(
    numbers('F8_E4M3FNUZ', BYTES),
    shifted(e4m3, 2 ** 7, (byte) => byte === 0x80),
  );
  // Half precision has infinities and NaNs where this has its largest numbers.
  const largest = (byte: number) => (byte < 0x80 ? 1 : -1) * (1 + (byte & 3) / 4) * 2 ** 16;
  const e5m2fnuz = e5m2.map((value, byte) => ((byte & 0x7c) === 0x7c ? largest(byte) : value));
  assertSame(
    numbers('F8_E5M2FNUZ', BYTES),
    shifted(e5m2fnuz, 2 ** -1, (byte) => byte === 0x80),
  );
});

test('8-bit floats: the extremes that their specifications state', () => {
  const at = (dtype: string, ...bytes: number[]) => [...numbers(dtype, Uint8Array.from(bytes))];
  assertSame(at('F8_E4M3', 0x7e, 0x08, 0x07, 0x01, 0x80, 0x7f), [
    448,
    2 ** -6,
    7 * 2 ** -9,
    2 ** -9,
    -0,
    NaN,
  ]);
  assertSame(at('F8_E5M2', 0x7b, 0x04, 0x01, 0x7c, 0xfc, 0x7d), [
    57344,
    2 ** -14,
    2 ** -16,
    Infinity,
    -Infinity,
    NaN,
  ]);
  assertSame(at('F8_E4M3FNUZ', 0x7f, 0x08, 0x01, 0x80), [240, 2 ** -7, 2 ** -10, NaN]);
  assertSame(at('F8_E5M2FNUZ', 0x7f, 0x04, 0x01, 0x80), [57344, 2 ** -15, 2 ** -17, NaN]);
});

test('every dtype of safetensors is converted, or refused by its name', () => {
  const refused = ['F4', 'F6_E2M3', 'F6_E3M2', 'F8_E8M0', 'C64'];
  for (const dtype of [...SAFETENSORS_DTYPES, 'I4']) {
    const tensor = { dtype, shape: [0], data: new Uint8Array(0) };
    if (refused.includes(dtype)) {
      const error = throws(() => toFloat32(tensor), UnsupportedError, /^Cannot convert elements of dtype/);
      assert.is(error.actual, dtype);
    } else assert.is(toFloat32(tensor).length, 0, dtype);
  }
  throws(() => toFloat32({ dtype: 'toString', shape: [0], data: new Uint8Array(0) }), UnsupportedError);
  assert.equal(Object.keys(OTHER_FLOATS).sort(), ['F64', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ']);
});

test('into an array of the caller’s; sizes are checked', () => {
  const out = new Float32Array(2);
  const tensor = { dtype: 'F64', shape: [2], data: Float64Array.of(1, 2) };
  assert.is(toFloat32(tensor, { out }), out);
  assert.equal(out, Float32Array.of(1, 2));
  throws(() => toFloat32(tensor, { out: new Float32Array(3) }), ArgumentError, /length 2/);
  throws(
    () => toFloat32({ ...tensor, shape: [3] }),
    ArgumentError,
    /wrong number of bytes: expected 24, got 16/,
  );
  const metadata = {
    scheme: 'symmetric-int8',
    perGroupScales: false,
    scaleBits: 1,
    zeroPoint: 0,
    groupSize: 0,
  } as const;
  throws(
    () => toFloat32(tensor, { quantization: { metadata } }),
    ArgumentError,
    /expected I8 or I4, got F64/,
  );
  // Bytes of a file may begin anywhere.
  const bytes = new Uint8Array(17);
  bytes.set(viewBytes(tensor.data), 1);
  assert.equal(toFloat32({ ...tensor, data: bytes.subarray(1) }), Float32Array.of(1, 2));
});

test('in half precision: bit patterns, where the engine has no Float16Array', () => {
  const { Float16Array } = globalThis as { Float16Array?: unknown };
  const patterns = Uint16Array.of(0x3c00, 0xc000, 0x7c00);
  const tensor = { dtype: 'F16', shape: [3], data: patterns };
  const same = toFloat16(tensor);
  assert.is(same.buffer, patterns.buffer);
  const made = toFloat16({ dtype: 'F64', shape: [3], data: Float64Array.of(1, -2, 1e9) });
  assert.equal(new Uint16Array(made.buffer), patterns);
  assert.equal(Array.from(same), Float16Array === undefined ? [...patterns] : [1, -2, Infinity]);
});

test.run();
