import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { extendBasis } from '../../../../../src/encodings/lowRank/svd/orthonormalize.js';
import { colRange, matrix } from '../../../../../src/kernels/linear/matrix.js';
import { portableLinear as kernels } from '../../../../../src/kernels/linear/portable.js';
import { gaussian } from '../../../../helpers/linalg.js';
import { randomFrom } from '../../../../helpers/random.js';

const N = 12;
const random = randomFrom(1);
const identity = matrix(
  Float64Array.from({ length: N * N }, (_, i) => (i % (N + 1) === 0 ? 1 : 0)),
  N,
  N,
);

/** A block of noise whose rows are scaled: what each direction of space contributes. */
const block = (cols: number, scale: (row: number) => number) => ({
  data: Float64Array.from(gaussian(N * cols, cols), (value, i) => value * scale(Math.floor(i / cols))),
  cols,
});

test('the first block: an orthonormal basis of what it spans', () => {
  const { data, cols } = extendBasis(
    kernels,
    colRange(identity, 0, 0),
    block(5, () => 1),
    random,
  );
  assert.is(cols, 5);
  for (let a = 0; a < cols; a++) {
    for (let b = 0; b <= a; b++) {
      let dot = 0;
      for (let i = 0; i < N; i++) dot += data[i * cols + a]! * data[i * cols + b]!;
      assert.ok(Math.abs(dot - (a === b ? 1 : 0)) < 1e-14);
    }
  }
});

test('only what lies outside the basis is added, however little, and never rounding errors', () => {
  for (const taken of [4, 9, N - 1, N]) {
    for (const outside of [1, 1e-6, 1e-10, 1e-14, 0]) {
      const basis = colRange(identity, 0, taken);
      const added = extendBasis(
        kernels,
        basis,
        block(5, (row) => (row < taken ? 1 : outside)),
        random,
      );
      const room = Math.min(5, N - taken);
      assert.is(added.cols, outside >= 1e-10 ? room : 0, `${taken} taken, ${outside} outside`);
      for (let i = 0; i < taken * added.cols; i++) assert.ok(Math.abs(added.data[i]!) < 1e-14);
    }
  }
});

test('equal columns and zeros add nothing', () => {
  const same = { data: new Float64Array(N * 3).fill(2), cols: 3 };
  assert.is(extendBasis(kernels, colRange(identity, 0, 0), same, random).cols, 1);
  const zeros = { data: new Float64Array(N * 3), cols: 3 };
  assert.is(extendBasis(kernels, colRange(identity, 0, 2), zeros, random).cols, 0);
});

test.run();
