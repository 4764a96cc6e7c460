import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { linearKernels } from '../../../src/kernels/linear/encodeKernels.js';
import { type Matrix, matrix, transpose } from '../../../src/kernels/linear/matrix.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { gaussian } from '../../helpers/linalg.js';
import { randomFrom } from '../../helpers/random.js';

/** A matrix inside a larger array, its rows apart, maybe transposed, in f32 or f64. */
const anyMatrix = (rows: number, cols: number, seed: number): Matrix => {
  const random = randomFrom(seed);
  const [turned, wide] = [random() < 0.5, random() < 0.5];
  const [r, c] = turned ? [cols, rows] : [rows, cols];
  const rowStride = c + Math.floor(random() * 3);
  const offset = Math.floor(random() * 5);
  const values = gaussian(offset + r * rowStride, seed);
  const data = wide ? Float64Array.from(values, (value) => value / 3) : values;
  const view = { ...matrix(data, r, c), offset, rowStride };
  return turned ? transpose(view) : view;
};

const at = ({ data, offset, rowStride, colStride }: Matrix, i: number, j: number): number =>
  data[offset + i * rowStride + j * colStride]!;

function checkProduct(a: Matrix, b: Matrix, actual: Float64Array, tolerance = 1e-14): void {
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.cols; j++) {
      let sum = 0;
      let size = 0;
      for (let k = 0; k < a.cols; k++) {
        sum += at(a, i, k) * at(b, k, j);
        size += Math.abs(at(a, i, k) * at(b, k, j));
      }
      if (!(Math.abs(actual[i * b.cols + j]! - sum) <= tolerance * size)) {
        assert.unreachable(
          `${a.rows}×${a.cols}×${b.cols} at ${i}, ${j}: ${actual[i * b.cols + j]} for ${sum}`,
        );
      }
    }
  }
}

for (const implementation of ['portable', 'wasm'] as const) {
  const loaded = await loadKernels({ implementation });
  const kernels = { ...linearKernels(loaded), addProduct: loaded.addProduct };

  test(`${implementation}: products of any shape, layout and width`, () => {
    const side = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(side, side, side, fc.nat(), (rows, inner, cols, seed) => {
        const [a, b] = [anyMatrix(rows, inner, seed), anyMatrix(inner, cols, seed + 1)];
        // What was there before must not matter, and what lies behind must stay.
        const out = new Float64Array(rows * cols + 1).fill(Number.NaN);
        out[rows * cols] = 7;
        kernels.multiply(a, b, out);
        checkProduct(a, b, out);
        assert.is(out[rows * cols], 7);
        const single = out.slice().fill(Number.NaN);
        kernels.multiplySingle(a, b, single);
        checkProduct(a, b, single, 1e-6);
        const sum = new Float32Array(rows * cols + 1).fill(0.5);
        kernels.addProduct(a, b, sum);
        assert.is(sum[rows * cols], 0.5);
        for (let i = 0; i < rows * cols; i++) assert.is(sum[i], Math.fround(0.5 + out[i]!));
      }),
      { numRuns: 150 },
    );
  });

  test(`${implementation}: products larger than every block`, () => {
    for (const [rows, inner, cols] of [
      [101, 530, 7],
      [3, 260, 1030],
      [200, 3, 521],
      // Rows that are a power of two apart, and more of them than are summed at once.
      [70, 256, 9],
      [9, 4200, 5],
      [4200, 9, 5],
    ] as const) {
      for (const seed of [1, 2, 3, 4]) {
        const [a, b] = [anyMatrix(rows, inner, seed), anyMatrix(inner, cols, seed + 9)];
        const out = new Float64Array(rows * cols);
        kernels.multiply(a, b, out);
        checkProduct(a, b, out);
        kernels.multiplySingle(a, b, out);
        checkProduct(a, b, out, 1e-6);
      }
    }
  });

  test(`${implementation}: products in single precision of very large and very small numbers`, () => {
    for (const [large, small] of [
      [2 ** 118, 1],
      [1, 2 ** 500],
      [2 ** -60, 2 ** -500],
    ] as const) {
      const data = gaussian(300, 1).map((value) => value * large);
      const a = matrix(data, 20, 15);
      const b = matrix(
        Float64Array.from(gaussian(60, 2), (value) => value * small),
        15,
        4,
      );
      for (const [left, right] of [
        [a, b],
        [transpose(matrix(data, 15, 20)), b],
      ] as const) {
        const out = new Float64Array(80);
        kernels.multiplySingle(left, right, out);
        checkProduct(left, right, out, 1e-6);
      }
    }
  });

  test(`${implementation}: sums larger than every panel`, () => {
    for (const [rows, inner, cols] of [
      [2, 3, 9001],
      [71, 2, 4099],
      [3, 300, 5],
    ] as const) {
      const [a, b] = [anyMatrix(rows, inner, 1), anyMatrix(inner, cols, 2)];
      const product = new Float64Array(rows * cols);
      kernels.multiply(a, b, product);
      const sum = new Float32Array(rows * cols).fill(0.5);
      kernels.addProduct(a, b, sum);
      for (const [i, value] of sum.entries()) assert.ok(Math.abs(value - 0.5 - product[i]!) < 1e-5, `${i}`);
    }
  });

  test(`${implementation}: a matrix is its tridiagonal form between its reflections`, () => {
    for (const n of [1, 2, 3, 4, 5, 8, 17, 40]) {
      for (const sparse of [false, true]) {
        const values = gaussian(n * n, n);
        const a = Float64Array.from(values, (value, i) => (sparse && i % 3 > 0 ? 0 : value));
        const [reduced, diagonal, subdiagonal] = [a.slice(), new Float64Array(n), new Float64Array(n - 1)];
        kernels.tridiagonalize(reduced, n, diagonal, subdiagonal);
        // H(n-1) ⋯ H(1) T H(1) ⋯ H(n-1), one reflection at a time from both sides.
        const back = new Float64Array(n * n);
        for (let i = 0; i < n; i++) {
          back[i * n + i] = diagonal[i]!;
          if (i > 0) back[i * n + i - 1] = back[(i - 1) * n + i] = subdiagonal[i - 1]!;
        }
        for (let i = 1; i < n; i++) {
          const v = reduced.subarray(i * n, i * n + i);
          reflect(back, v, n, 1, n);
          reflect(back, v, 1, n, n);
        }
        for (let i = 0; i < n; i++) {
          for (let j = 0; j <= i; j++)
            assert.ok(Math.abs(back[i * n + j]! - a[i * n + j]!) < 1e-12, `${n}: ${i}, ${j}`);
        }
      }
    }
  });
}

test('wasm: lines that are too long for a memory with a stripe of them', () => {
  const { multiply, multiplySingle } = linearKernels({ implementation: 'wasm' });
  const length = 2 ** 24 + 64;
  const long = matrix(new Float32Array(length).fill(0.5), length, 1);
  for (const product of [multiply, multiplySingle]) {
    const square = new Float64Array(1);
    product(transpose(long), long, square);
    assert.is(square[0], length / 4);
    const scaled = new Float64Array(length);
    product(long, matrix(Float64Array.of(3), 1, 1), scaled);
    assert.ok(scaled.every((value) => value === 1.5));
  }
});

test('wasm: a memory that cannot grow', () => {
  const { multiply, multiplySingle } = linearKernels({ implementation: 'wasm' });
  const long = matrix(new Float32Array(2 ** 18).fill(0.5), 1, 2 ** 18);
  const square = new Float64Array(1);
  multiply(long, transpose(long), square);
  const { grow } = WebAssembly.Memory.prototype;
  WebAssembly.Memory.prototype.grow = () => {
    throw new RangeError('no more');
  };
  try {
    // Longer than before, beyond what the memory has.
    const length = 2 ** 22 - 1;
    const longer = matrix(new Float32Array(length).fill(0.5), 1, length);
    for (const product of [multiply, multiplySingle]) {
      square.fill(0);
      product(longer, transpose(longer), square);
      assert.is(square[0], length / 4);
    }
  } finally {
    WebAssembly.Memory.prototype.grow = grow;
  }
});

/** Applies I − v vᵀ to each of `lines` lines, whose elements are `stride` apart. */
function reflect(a: Float64Array, v: Float64Array, stride: number, lineStride: number, lines: number): void {
  for (let line = 0; line < lines; line++) {
    let dot = 0;
    for (let i = 0; i < v.length; i++) dot += v[i]! * a[line * lineStride + i * stride]!;
    for (let i = 0; i < v.length; i++) a[line * lineStride + i * stride]! -= dot * v[i]!;
  }
}

test.run();
