import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError } from '../../../src/errors.js';
import * as transforms from '../../../src/kernels/dct/transforms.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { assertClose, throws } from '../../helpers/assertions.js';
import { manifest, readReferenceF32 } from '../../helpers/fixtures.js';
import { noise } from '../../helpers/random.js';

interface DctVector {
  readonly rows: number;
  readonly cols: number;
  readonly input: string;
  readonly expected: string;
}

const vectors = manifest<{ dct: DctVector[] }>('vectors').dct;

/** The definition, term by term. */
function naiveDct(data: ArrayLike<number>): Float64Array {
  const n = data.length;
  const out = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += data[j]! * Math.cos((Math.PI * (2 * j + 1) * k) / (2 * n));
    out[k] = sum * Math.sqrt((k === 0 ? 1 : 2) / n);
  }
  return out;
}

function naiveDct2d(data: ArrayLike<number>, rows: number, cols: number): Float64Array {
  const out = new Float64Array(rows * cols);
  for (let r = 0; r < rows; r++) {
    const row = Float64Array.from({ length: cols }, (_, c) => data[r * cols + c]!);
    out.set(naiveDct(row), r * cols);
  }
  for (let c = 0; c < cols; c++) {
    const column = naiveDct(Float64Array.from({ length: rows }, (_, r) => out[r * cols + c]!));
    for (let r = 0; r < rows; r++) out[r * cols + c] = column[r]!;
  }
  return out;
}

for (const implementation of ['portable', 'wasm'] as const) {
  const test = suite(implementation);
  const kernels = await loadKernels(['dct'], { implementation });
  const options = (more: transforms.DctOptions = {}) => ({ kernels, ...more });
  const dct1d: typeof transforms.dct1d = (data, more) => transforms.dct1d(data, options(more));
  const idct1d: typeof transforms.idct1d = (data, more) => transforms.idct1d(data, options(more));
  const dct2d: typeof transforms.dct2d = (data, rows, cols, more) =>
    transforms.dct2d(data, rows, cols, options(more));
  const idct2d: typeof transforms.idct2d = (data, rows, cols, more) =>
    transforms.idct2d(data, rows, cols, options(more));

  for (const { rows, cols, input, expected } of vectors) {
    test(`DCT-II and DCT-III of the reference's ${rows} × ${cols} vector`, () => {
      const data = readReferenceF32(input);
      const coefficients = readReferenceF32(expected);
      assertClose(dct2d(data, rows, cols), coefficients, 1e-5, 'dct2d');
      assertClose(idct2d(coefficients, rows, cols), data, 1e-5, 'idct2d');
    });
  }

  test('any size equals the definition, and the inverse gives the input back', () => {
    const size = fc.integer({ min: 1, max: 70 });
    fc.assert(
      fc.property(size, size, fc.nat(), (rows, cols, seed) => {
        const data = noise(rows * cols, seed);
        const coefficients = dct2d(data, rows, cols);
        assertClose(coefficients, naiveDct2d(data, rows, cols), 1e-6, `${rows} × ${cols}`);
        assertClose(idct2d(coefficients, rows, cols), data, 1e-6, `${rows} × ${cols} back`);
      }),
      { numRuns: 60 },
    );
  });

  for (const n of [1, 2, 3, 251, 1000, 1021]) {
    test(`vector of ${n}: a row, a column and dct1d are the same`, () => {
      const data = noise(n, n);
      const expected = dct1d(data);
      assertClose(expected, naiveDct(data), 1e-6, 'dct1d');
      assert.equal(dct2d(data, 1, n), expected);
      assertClose(dct2d(data, n, 1), expected, 1e-6, 'column');
      assertClose(idct1d(expected), data, 1e-6, 'idct1d');
    });
  }

  test('a long prime keeps its digits', () => {
    const data = noise(50_261, 1);
    assertClose(idct1d(dct1d(data)), data, 1e-6, 'there and back');
  });

  test('works in place', () => {
    const data = noise(15 * 18, 5);
    const expected = dct2d(data, 15, 18);
    const inPlace = data.slice();
    assert.is(dct2d(inPlace, 15, 18, { out: inPlace }), inPlace);
    assert.equal(inPlace, expected);
    idct2d(inPlace, 15, 18, { out: inPlace });
    assertClose(inPlace, data, 1e-6, 'back');
  });

  test('more sizes than stay planned', () => {
    for (const n of [40_000, 50_000, 60_000, 140_000, 40_000]) {
      const data = noise(n, n);
      assertClose(idct1d(dct1d(data)), data, 1e-6, `${n}`);
    }
  });

  test('nothing in, nothing out', () => {
    assert.is(dct2d(new Float32Array(0), 0, 5).length, 0);
    assert.is(idct1d(new Float32Array(0)).length, 0);
  });

  test('refuses lengths that do not fit', () => {
    throws(
      () => dct2d(new Float32Array(5), 2, 3),
      ArgumentError,
      /data: expected a Float32Array of length 6, got a Float32Array of length 5/,
    );
    throws(
      () => idct1d(new Float32Array(4), { out: new Float32Array(3) }),
      ArgumentError,
      /value of out: expected .* length 4/,
    );
  });

  test.run();
}

const test = suite('default');

test('takes the fastest kernels that have been loaded', async () => {
  const data = noise(33 * 70, 1);
  const wasm = await loadKernels(['dct'], { implementation: 'wasm' });
  const portable = await loadKernels(['dct'], { implementation: 'portable' });
  const { dct2d, idct2d } = transforms;
  for (const [name, transform] of Object.entries({ dct2d, idct2d })) {
    const expected = new Float32Array(data.length);
    wasm[name as 'dct2d' | 'idct2d'](data, 33, 70, expected);
    assert.equal(transform(data, 33, 70), expected);
    assert.not.equal(transform(data, 33, 70, { kernels: portable }), expected);
  }
});

test.run();
