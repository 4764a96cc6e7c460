import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { embedded } from '../../../../src/encodings/embedded/embedded.js';
import type { DType } from '../../../../src/tensor/dtype.js';
import { fromFloat32 } from '../../../../src/tensor/numbers.js';
import { type Tensor, viewBytes, viewElements } from '../../../../src/tensor/tensor.js';
import { toFloat32 } from '../../../../src/tensor/toFloat32.js';
import { encodeWith } from '../../../helpers/encodings.js';
import { pseudoRandomBytes } from '../../../helpers/random.js';

const FLOAT_BYTES = { F32: 4, F16: 2, BF16: 2 } as const;

/** Through all fragments and back, as bytes, and as numbers. */
function roundTrip(tensor: Tensor<DType>, fragments: number): { bytes: Uint8Array; numbers: Float32Array } {
  const { encoded, request } = encodeWith(embedded, tensor, {}, { fragments });
  const decoder = embedded.createDecoder({ ...request, fragments: encoded.payloads.length }, {});
  for (const [index, payload] of encoded.payloads.entries()) {
    assert.ok(decoder.addFragment(index, payload));
  }
  const bytes = new Uint8Array(tensor.data.byteLength);
  decoder.reconstructElements!(bytes);
  const numbers = new Float32Array(request.rows * request.cols);
  decoder.reconstruct(numbers);
  return { bytes, numbers };
}

function assertExact(tensor: Tensor<DType>, fragments = 4): void {
  const { bytes, numbers } = roundTrip(tensor, fragments);
  const name = `${tensor.dtype} [${tensor.shape}]`;
  assert.equal(Buffer.compare(bytes, viewBytes(tensor.data)), 0, name);
  if (tensor.dtype === 'BF16') {
    // A bfloat16 is the upper half of a number, whatever it stands for.
    const wide = Uint32Array.from(tensor.data as Uint16Array, (pattern) => pattern << 16);
    assert.equal(Buffer.compare(viewBytes(numbers), viewBytes(wide)), 0, `${name} as f32`);
  }
}

function tensorOf(dtype: DType, data: Uint8Array): Tensor<DType> {
  const elements = viewElements(dtype, data);
  return { dtype, shape: [elements.length], data: elements };
}

for (const dtype of ['F16', 'BF16'] as const) {
  test(`every ${dtype} pattern comes back, in any mixture`, () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    assertExact({ dtype, shape: [256, 256], data: all });
    // The same with neighbours that differ, and with the finite ones alone.
    assertExact({ dtype, shape: [65536], data: all.map((i) => (i * 40503) & 0xffff) });
    const specials = dtype === 'F16' ? 0x7c00 : 0x7f80;
    const finite = all.filter((i) => (i & specials) !== specials);
    assertExact({ dtype, shape: [finite.length], data: finite });
  });
}

for (const dtype of ['F8_E4M3', 'F8_E5M2'] as const) {
  test(`every ${dtype} pattern comes back, in any mixture`, () => {
    const all = Uint8Array.from({ length: 65536 }, (_, i) => i);
    assertExact({ dtype, shape: [256, 256], data: all });
    assertExact({ dtype, shape: [65536], data: all.map((_, i) => (i * 40503) >> 8) });
    for (const largest of [1, 2, 7, 8, 9, 20, 60, 0x7b, 0x7e, 0x7f]) {
      const magnitudes = pseudoRandomBytes(10000).map(
        (byte, i) => ((byte & 0x7f) % (largest + 1)) | (i % 2 ? 0 : byte & 0x80),
      );
      assertExact({ dtype, shape: [100, 100], data: magnitudes });
    }
  });

  test(`${dtype}: numbers are those of the elements, and approximations stay finite`, () => {
    const data = pseudoRandomBytes(9000).map((byte) => ((byte & 0x7f) < 0x7b ? byte : 0x7a));
    const tensor = { dtype, shape: [9000], data } as const;
    assert.equal(roundTrip(tensor, 5).numbers, toFloat32(tensor));
    const { encoded, request } = encodeWith(embedded, tensor, {}, { fragments: 5 });
    const decoder = embedded.createDecoder({ ...request, fragments: encoded.payloads.length }, {});
    for (const [index, payload] of encoded.payloads.entries()) {
      decoder.addFragment(index, payload);
      const bytes = new Uint8Array(9000);
      decoder.reconstructElements!(bytes);
      assert.ok(toFloat32({ ...tensor, data: bytes }).every(Number.isFinite));
      const numbers = new Float32Array(9000);
      decoder.reconstruct(numbers);
      assert.equal(bytes, fromFloat32(dtype, numbers));
    }
  });
}

test('random F32 patterns come back, NaN payloads, infinities and subnormals among them', () => {
  assertExact(tensorOf('F32', pseudoRandomBytes(4 * 40000)));
});

test('integers come back', () => {
  assertExact(
    tensorOf(
      'I8',
      Uint8Array.from({ length: 5000 }, (_, i) => i),
    ),
  );
  assertExact(tensorOf('I8', new Uint8Array(1000).fill(0x80)));
  assertExact({
    dtype: 'I4',
    shape: [3, 33],
    data: pseudoRandomBytes(50).map((b, i) => (i === 49 ? b & 15 : b)),
  });
});

/** Patterns that need care, in floats of any width: zeros, subnormals, the smallest and largest, NaNs. */
function patternArbitrary(dtype: 'F32' | 'F16' | 'BF16'): fc.Arbitrary<number> {
  const bits = 8 * FLOAT_BYTES[dtype];
  const mantissa = { F32: 23, F16: 10, BF16: 7 }[dtype];
  const infinity = (2 ** (bits - 1) - 2 ** mantissa) >>> 0;
  const sign = 2 ** (bits - 1);
  const special = [0, 1, 2 ** mantissa - 1, 2 ** mantissa, infinity - 1, infinity, infinity + 1, sign - 1];
  const middle = 2 ** mantissa * (2 ** (bits - 2 - mantissa) - 1);
  return fc.oneof(
    fc.constantFrom(...special, ...special.map((pattern) => pattern + sign)),
    fc.integer({ min: 0, max: 2 ** bits - 1 }),
    // Near 1, of both signs.
    fc
      .tuple(fc.integer({ min: 0, max: 8 * 2 ** mantissa }), fc.boolean())
      .map(([x, s]) => middle + x + (s ? sign : 0)),
  );
}

for (const dtype of ['F32', 'F16', 'BF16'] as const) {
  test(`any ${dtype} tensor comes back, however it is cut`, () => {
    const elements = fc.array(patternArbitrary(dtype), { maxLength: 700, size: 'max' });
    fc.assert(
      fc.property(elements, fc.integer({ min: 1, max: 40 }), (patterns, fragments) => {
        const data = dtype === 'F32' ? Uint32Array.from(patterns) : Uint16Array.from(patterns);
        assertExact(tensorOf(dtype, viewBytes(data)), fragments);
      }),
      { numRuns: 60 },
    );
  });
}

test('tensors that have little to say', () => {
  const cases: Float32Array[] = [
    new Float32Array(0),
    Float32Array.of(0),
    Float32Array.of(-0),
    Float32Array.of(Number.NaN),
    Float32Array.of(1.5),
    new Float32Array(5000),
    new Float32Array(5000).fill(-0),
    new Float32Array(5000).fill(-3.7),
    new Float32Array(5000).fill(Number.NEGATIVE_INFINITY),
    new Float32Array(5000).fill(1e-45),
    new Float32Array(70000).fill(3.4028234663852886e38),
    Float32Array.from({ length: 5000 }, (_, i) => (i === 77 ? 1e30 : 1e-30 * i)),
    Float32Array.from({ length: 5000 }, (_, i) => (i % 20 === 0 ? Math.sin(i) : i % 40 === 1 ? -0 : 0)),
  ];
  for (const data of cases) {
    for (const fragments of [1, 2, 7, 65535]) assertExact(tensorOf('F32', viewBytes(data)), fragments);
  }
});

test('data that starts at an odd address', () => {
  const bytes = pseudoRandomBytes(4001).subarray(1);
  assertExact({ dtype: 'F32', shape: [1000], data: viewElements('F32', bytes) });
});

test.run();
