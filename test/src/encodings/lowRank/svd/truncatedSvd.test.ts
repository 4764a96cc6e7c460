import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gram } from '../../../../../src/encodings/lowRank/svd/products.js';
import { findRange } from '../../../../../src/encodings/lowRank/svd/rangeFinder.js';
import {
  type SingularTriplets,
  truncatedSvd,
} from '../../../../../src/encodings/lowRank/svd/truncatedSvd.js';
import { linearKernels } from '../../../../../src/kernels/linear/encodeKernels.js';
import { matrix, transpose } from '../../../../../src/kernels/linear/matrix.js';
import { portableLinear as kernels } from '../../../../../src/kernels/linear/portable.js';
import { loadKernels } from '../../../../../src/kernels/loadKernels.js';
import { dot, fullSvd, gaussian, matrixWithSpectrum } from '../../../../helpers/linalg.js';
import { randomFrom } from '../../../../helpers/random.js';

interface Case {
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
  readonly rank: number;
  readonly data: Float32Array;
}

const ROWS = 90;
const COLS = 70;
const spectrum = (name: string, rank: number, sigma: (k: number) => number, length = COLS): Case => ({
  name,
  rows: ROWS,
  cols: COLS,
  rank,
  data: matrixWithSpectrum(
    ROWS,
    COLS,
    Array.from({ length }, (_, k) => sigma(k)),
  ),
});
const scaled = (name: string, scale: number): Case => ({
  ...spectrum(name, 12, (k) => 0.9 ** k),
  data: matrixWithSpectrum(
    ROWS,
    COLS,
    Array.from({ length: COLS }, (_, k) => scale * 0.9 ** k),
  ),
});

const CASES: readonly Case[] = [
  { name: 'noise', rows: ROWS, cols: COLS, rank: 20, data: gaussian(ROWS * COLS, 1) },
  { name: 'noise, all of it', rows: ROWS, cols: COLS, rank: COLS, data: gaussian(ROWS * COLS, 2) },
  spectrum('flat', 20, () => 1),
  spectrum('two clusters', 20, (k) => (k < 25 ? 1 : 0.5)),
  spectrum('clusters within rounding', 40, (k) => 1 + Math.floor(k / 10) + (k % 10) * 1e-9),
  spectrum('arithmetic', 30, (k) => COLS - k),
  spectrum('geometric', 30, (k) => 0.7 ** k),
  spectrum('steep', 20, (k) => 0.2 ** k),
  spectrum('exact low rank', 20, (k) => 5 - k, 5),
  spectrum('one component', 20, () => 3, 1),
  scaled('huge', 1e30),
  scaled('tiny', 1e-30),
  { name: 'diagonal', rows: 50, cols: 50, rank: 20, data: diagonal(50, (k) => k + 1) },
  { name: 'identity', rows: 50, cols: 50, rank: 20, data: diagonal(50, () => 1) },
  { name: 'zeros', rows: 30, cols: 20, rank: 5, data: new Float32Array(600) },
  { name: 'one row', rows: 1, cols: 40, rank: 5, data: gaussian(40, 3) },
  { name: 'one column', rows: 40, cols: 1, rank: 5, data: gaussian(40, 4) },
  { name: 'one element', rows: 1, cols: 1, rank: 5, data: Float32Array.of(-2) },
  { name: 'wide', rows: 20, cols: 300, rank: 10, data: gaussian(6000, 5) },
];

function diagonal(n: number, value: (k: number) => number): Float32Array {
  return Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? value(i / (n + 1)) : 0));
}

/** Holds triplets against the full decomposition: see the messages. */
function check({ name, rows, cols, rank, data }: Case, actual: SingularTriplets): void {
  const wide = rows < cols;
  const full = wide ? swap(fullSvd(turned(data, rows, cols), cols, rows)) : fullSvd(data, rows, cols);
  const { sigma, u, v } = actual;
  const largest = full.sigma[0]!;
  const expected = full.sigma.slice(0, rank);
  assert.ok(sigma.length <= rank, `${name}: rank`);
  expected.forEach((value, k) => {
    assert.ok(
      Math.abs((sigma[k] ?? 0) - value) <= 1e-6 * largest,
      `${name}: σ ${k}: ${sigma[k]} for ${value}`,
    );
    if (k > 0 && k < sigma.length) assert.ok(sigma[k]! <= sigma[k - 1]!, `${name}: sorted`);
    const above = k === 0 ? Infinity : full.sigma[k - 1]! - value;
    const gap = Math.min(above, value - (full.sigma[k + 1] ?? 0));
    if (gap <= 1e-3 * value || value <= 1e-6 * largest) return;
    // Of the Gram matrix, whose largest value is the square: it turns vectors by as much over the gap of the squares.
    const rounding = (8 * Number.EPSILON * largest ** 2) / (value * gap);
    for (const [found, truth, length] of [
      [u, full.u, rows],
      [v, full.v, cols],
    ] as const) {
      const [x, y] = [
        found.subarray(k * length, (k + 1) * length),
        truth.subarray(k * length, (k + 1) * length),
      ];
      const sign = Math.sign(dot(x, y));
      const error = Math.hypot(...x.map((element, i) => element - sign * y[i]!));
      assert.ok(error <= 1e-4 + rounding, `${name}: vector ${k} is off by ${error}`);
    }
  });
  const optimum = dot(expected, expected);
  assert.ok(dot(sigma, sigma) >= 0.999 * optimum, `${name}: captured energy`);
  for (const [rowsOf, length] of [
    [u, rows],
    [v, cols],
  ] as const) {
    const dots = gram(kernels, transpose(matrix(rowsOf, sigma.length, length)));
    dots.forEach((value, at) => {
      const [i, j] = [Math.floor(at / sigma.length), at % sigma.length];
      if (j <= i)
        assert.ok(Math.abs(value - (i === j ? 1 : 0)) < 1e-6, `${name}: orthonormal ${i}, ${j}: ${value}`);
    });
  }
}

function turned(data: Float32Array, rows: number, cols: number): Float32Array {
  return Float32Array.from(data, (_, at) => data[(at % rows) * cols + Math.floor(at / rows)]!);
}

function swap({ sigma, u, v }: SingularTriplets): SingularTriplets {
  return { sigma, u: v, v: u };
}

for (const one of CASES) {
  test(`${one.name}: as the full decomposition`, () => {
    const { rows, cols, data, rank } = one;
    check(one, truncatedSvd(kernels, matrix(data, rows, cols), rank));
  });

  test(`${one.name}: the range finder captures what there is`, async () => {
    const tall =
      one.rows >= one.cols
        ? matrix(one.data, one.rows, one.cols)
        : transpose(matrix(one.data, one.rows, one.cols));
    const full = truncatedSvd(kernels, tall, one.rank).sigma;
    // The wasm kernels have products in single precision.
    for (const finder of [kernels, linearKernels(await loadKernels())]) {
      const random = randomFrom(7);
      const { basis, image } = findRange(finder, tall, one.rank, () => random() - 0.5);
      // Decomposing the image is exact, so what is off here is what the range finder missed.
      const { sigma } = truncatedSvd(kernels, image, one.rank);
      assert.ok(dot(sigma, sigma) >= 0.999 * dot(full, full), `${dot(sigma, sigma)} of ${dot(full, full)}`);
      assert.ok(basis.cols <= tall.cols);
    }
  });
}

test('rows and columns of any size, repeated or empty: energy, order, orthonormality', async () => {
  const wasm = linearKernels(await loadKernels());
  const scales = fc.array(fc.double({ min: -12, max: 12, noNaN: true }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(scales, scales, fc.integer({ min: 1, max: 30 }), fc.nat(), (down, across, rank, seed) => {
      const [rows, cols] = [down.length, across.length];
      const values = gaussian(rows * cols, seed);
      const repeated = 1 + (seed % 7);
      const data = Float32Array.from(values, (value, at) => {
        const [i, j] = [Math.floor(at / cols), at % cols];
        if (seed % 5 === 0 && values[at]! < 1) return 0;
        if (seed % 5 === 1) return values[(i % repeated) * cols + j]!;
        return value * 10 ** (down[i]! + across[j]!);
      });
      check(
        { name: `${rows}×${cols}`, rows, cols, rank, data },
        truncatedSvd(kernels, matrix(data, rows, cols), rank),
      );
      const tall = rows >= cols ? matrix(data, rows, cols) : transpose(matrix(data, rows, cols));
      const full = truncatedSvd(kernels, tall, rank).sigma;
      for (const finder of [kernels, wasm]) {
        const random = randomFrom(seed);
        const { image } = findRange(finder, tall, rank, () => random() - 0.5);
        const { sigma } = truncatedSvd(kernels, image, rank);
        assert.ok(dot(sigma, sigma) >= 0.999 * dot(full, full));
      }
    }),
    { numRuns: 100 },
  );
});

test('a spectrum that falls far below rounding', () => {
  const size = 200;
  const data = matrixWithSpectrum(
    size,
    size,
    Array.from({ length: size }, (_, k) => 0.85 ** k),
  );
  const { sigma } = truncatedSvd(kernels, matrix(data, size, size), size);
  assert.is(sigma.length, 100, '0.85^99 is the last above 1e-7');
  for (const [k, value] of sigma.entries()) assert.ok(Math.abs(value - 0.85 ** k) < 1e-7);
});

test('rank-deficient input gives no more components than it has', () => {
  const { rows, cols, data } = CASES.find(({ name }) => name === 'exact low rank')!;
  assert.is(truncatedSvd(kernels, matrix(data, rows, cols), 20).sigma.length, 5);
  assert.is(truncatedSvd(kernels, matrix(new Float32Array(6), 2, 3), 2).sigma.length, 0);
  assert.is(truncatedSvd(kernels, matrix(new Float32Array(0), 0, 3), 2).sigma.length, 0);
});

test('a matrix beyond the dense size goes through the range finder', async () => {
  const kernels = linearKernels(await loadKernels());
  const size = 2100;
  const sigma = Array.from({ length: 40 }, (_, k) => 0.8 ** k);
  const data = matrixWithSpectrum(size, size, sigma);
  const found = truncatedSvd(kernels, matrix(data, size, size), 20);
  sigma.slice(0, 20).forEach((value, k) => {
    assert.ok(Math.abs(found.sigma[k]! - value) < 1e-4 * value, `σ ${k}: ${found.sigma[k]} for ${value}`);
  });
  // σ u = A v and A u = σ v hold together only for singular vectors.
  for (let k = 0; k < 20; k++) {
    const v = found.v.subarray(k * size, (k + 1) * size);
    const pulled = new Float64Array(size);
    kernels.multiply(
      transpose(matrix(data, size, size)),
      matrix(found.u.slice(k * size, (k + 1) * size), size, 1),
      pulled,
    );
    const error = Math.hypot(...pulled.map((value, i) => value / found.sigma[k]! - v[i]!));
    assert.ok(error < 1e-4, `vector ${k} is off by ${error}`);
  }
});

test.run();
