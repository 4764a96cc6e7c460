import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError, LimitError } from '../../../src/errors.js';
import { wasmDct } from '../../../src/kernels/dct/wasm.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';
import { WasmRuntime } from '../../../src/kernels/runtime/runtime.js';
import { throws } from '../../helpers/assertions.js';
import { manifest, readReferenceF32 } from '../../helpers/fixtures.js';
import { randomFrom } from '../../helpers/random.js';

const wasm = await loadKernels({ implementation: 'wasm' });

/** ‖error‖ / ‖values‖ of an f32 FFT grows with log n: 4e-7 at 50257, through a convolution. */
const RELATIVE_ERROR = 1e-6;

const random = randomFrom(2024);
const randomMatrix = (length: number) => Float32Array.from({ length }, () => random() * 2 - 1);

function assertClose(actual: Float32Array, expected: Float32Array, what: string): void {
  let error = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  const relative = Math.sqrt(error / norm);
  assert.ok(relative <= RELATIVE_ERROR, `${what}: relative error ${relative}`);
}

/** Both directions against the portable transform, and there and back. */
function check(rows: number, cols: number): void {
  const what = `${rows}×${cols}`;
  const data = randomMatrix(rows * cols);
  const expected = new Float32Array(data.length);
  const actual = new Float32Array(data.length);
  portableKernels.dct2d(data, rows, cols, expected);
  wasm.dct2d(data, rows, cols, actual);
  assertClose(actual, expected, `DCT ${what}`);
  portableKernels.idct2d(data, rows, cols, expected);
  wasm.idct2d(data, rows, cols, actual);
  assertClose(actual, expected, `inverse DCT ${what}`);
}

interface DctVector {
  readonly rows: number;
  readonly cols: number;
  readonly input: string;
  readonly expected: string;
}

test('gives the reference vectors', () => {
  const { dct } = manifest<{ dct: DctVector[] }>('vectors');
  for (const { rows, cols, input, expected } of dct) {
    const actual = new Float32Array(rows * cols);
    wasm.dct2d(readReferenceF32(input), rows, cols, actual);
    // The reference computes in f32 too: its tolerance, not ours.
    const reference = readReferenceF32(expected);
    const largest = reference.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    assert.ok(
      reference.every((value, i) => Math.abs(value - actual[i]!) <= 1e-5 * largest),
      input,
    );
  }
});

test('all small sizes as rows and as columns', () => {
  for (let size = 1; size <= 300; size++) {
    check(1 + (size % 11), size);
    check(size, 1 + (size % 13));
  }
});

test('random matrices up to 300 each way', () => {
  for (let i = 0; i < 40; i++) check(1 + Math.floor(random() * 300), 1 + Math.floor(random() * 300));
});

test('widths of models, as rows and as columns', () => {
  for (const width of [576, 768, 1000, 1024, 2048, 4096, 11008, 50257]) {
    const other = width > 10000 ? 1 : 9;
    check(other, width);
    check(width, other);
  }
  check(576, 576);
});

test('single rows and single columns, split over the lanes', () => {
  const sizes = Array.from({ length: 17 }, (_, i) => 2 ** i);
  sizes.push(12, 20, 28, 8 * 97, 8 * 101, 8 * 1155, 4 * 4095, 1155, 7919, 65521, 50257, 100000);
  for (const size of sizes) {
    check(1, size);
    check(size, 1);
  }
});

test('stripes: many rows, the last stripe not full', () => check(1003, 130));

test('unaligned input and output, written nowhere else', () => {
  const [rows, cols] = [13, 21];
  const data = randomMatrix(rows * cols + 1).subarray(1);
  const expected = new Float32Array(rows * cols);
  portableKernels.dct2d(data, rows, cols, expected);
  const around = new Float32Array(rows * cols + 2).fill(7);
  wasm.dct2d(data, rows, cols, around.subarray(1, -1));
  assertClose(around.slice(1, -1), expected, 'unaligned');
  assert.equal([around[0], around.at(-1)], [7, 7]);
});

test('what other kernels left in the memory does not show', () => {
  // As floats these bytes are 3.4e38: beside them in a sum, every weight would vanish.
  const large = new Uint8Array(200_000).fill(0x7f);
  for (let rows = 1; rows < 20; rows++) {
    for (let cols = 1; cols < 20; cols++) {
      wasm.lz4Compress(large);
      wasm.xxh3(large);
      check(rows, cols);
    }
  }
  const infinite = new Float32Array(200 * 200).fill(Infinity);
  for (const [rows, cols] of [
    [6, 269],
    [1, 269],
    [1, 1001],
    [1, 4000],
  ] as const) {
    wasm.dct2d(infinite, 200, 200, infinite);
    check(rows, cols);
  }
});

test('in place', () => {
  const data = randomMatrix(30 * 50);
  const expected = new Float32Array(data.length);
  wasm.dct2d(data, 30, 50, expected);
  wasm.dct2d(data, 30, 50, data);
  assert.equal(data, expected);
});

test('nothing to do, and sizes that do not fit the arrays', () => {
  wasm.dct2d(new Float32Array(0), 0, 5, new Float32Array(0));
  throws(() => wasm.dct2d(new Float32Array(6), 2, 3, new Float32Array(5)), ArgumentError, /rows × cols/);
  throws(() => wasm.idct2d(new Float32Array(5), 2, 3, new Float32Array(6)), ArgumentError, /rows × cols/);
});

test('takes the portable path for what no wasm memory holds', () => {
  const full = new WasmRuntime(new Map());
  full.allocate = () => {
    throw new LimitError('wasm memory is full');
  };
  const data = randomMatrix(12);
  const [actual, expected] = [new Float32Array(12), new Float32Array(12)];
  wasmDct.link(full, () => undefined).dct2d(data, 3, 4, actual);
  portableKernels.dct2d(data, 3, 4, expected);
  assert.equal(actual, expected);
});

for (const kernels of [portableKernels, wasm]) {
  test(`${kernels.implementation}: a matrix in stretches is the same as one in an array`, () => {
    for (const [rows, cols] of [
      [1, 1],
      [1, 300],
      [300, 1],
      [37, 41],
      [700, 130],
    ] as const) {
      const data = randomMatrix(rows * cols);
      for (const direction of ['dct2d', 'idct2d'] as const) {
        const expected = new Float32Array(data.length);
        kernels[direction](data, rows, cols, expected);
        const actual = new Float32Array(data.length);
        let given = 0;
        let taken = 0;
        kernels[direction](
          (values, start) => {
            assert.is(start, given, 'in order');
            values.set(data.subarray(start, start + values.length));
            given += values.length;
          },
          rows,
          cols,
          (values, start) => {
            assert.is(start, taken, 'in order');
            actual.set(values, start);
            taken += values.length;
          },
        );
        assert.equal([given, taken], [data.length, data.length]);
        assert.equal(actual, expected, `${direction} ${rows} × ${cols}`);
      }
    }
  });
}

test.run();
