import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  symmetricEigen,
  symmetricEigenvalues,
} from '../../../../../src/encodings/lowRank/svd/symmetricEigen.js';
import { portableLinear as kernels } from '../../../../../src/kernels/linear/portable.js';
import { gaussian } from '../../../../helpers/linalg.js';
import { randomFrom } from '../../../../helpers/random.js';

type Entry = (i: number, j: number) => number;

const noise = gaussian(60 * 60, 1);
/** Symmetric matrices with eigenvalues that are well apart, equal, nearly equal, zero, or of both signs. */
const MATRICES: Readonly<Record<string, { n: number; entry: Entry }>> = {
  noise: { n: 60, entry: (i, j) => noise[Math.max(i, j) * 60 + Math.min(i, j)]! },
  ones: { n: 30, entry: () => 1 },
  identity: { n: 30, entry: (i, j) => (i === j ? 1 : 0) },
  zero: { n: 10, entry: () => 0 },
  single: { n: 1, entry: () => -4 },
  pair: { n: 2, entry: (i, j) => (i === j ? 1e-3 : 1) },
  // Wilkinson's W21+: tridiagonal, its largest eigenvalues equal to 15 digits in pairs.
  wilkinson: { n: 21, entry: (i, j) => (i === j ? Math.abs(i - 10) : Math.abs(i - j) === 1 ? 1 : 0) },
  // A reflection: 1 (29 times) and -1.
  reflection: { n: 30, entry: (i, j) => (i === j ? 1 : 0) - (2 * (i + 1) * (j + 1)) / 9455 },
  blocks: {
    n: 40,
    entry: (i, j) => (Math.floor(i / 20) === Math.floor(j / 20) ? 1 / (1 + ((i + j) % 20)) : 0),
  },
  graded: { n: 20, entry: (i, j) => 10 ** -Math.max(i, j) },
};

for (const [name, { n, entry }] of Object.entries(MATRICES)) {
  test(`${name}: A v = λ v, orthonormal, descending, and the trace`, () => {
    const a = Float64Array.from({ length: n * n }, (_, at) => entry(Math.floor(at / n), at % n));
    const random = randomFrom(5);
    const { values, vectors } = symmetricEigen(kernels, a.slice(), n, n, () => random() - 0.5);
    const norm = Math.max(...values.map(Math.abs));
    const column = (k: number) => Float64Array.from({ length: n }, (_, i) => vectors[i * n + k]!);
    let trace = 0;
    for (let k = 0; k < n; k++) {
      trace += values[k]! - entry(k, k);
      if (k > 0) assert.ok(values[k]! <= values[k - 1]!);
      const v = column(k);
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += entry(i, j) * v[j]!;
        assert.ok(Math.abs(sum - values[k]! * v[i]!) <= 1e-13 * n * norm, `residual of ${k}`);
      }
      for (let other = 0; other <= k; other++) {
        const w = column(other);
        const dot = v.reduce((sum, value, i) => sum + value * w[i]!, 0);
        assert.ok(Math.abs(dot - (k === other ? 1 : 0)) < 1e-9, `${k} and ${other}: ${dot}`);
      }
    }
    assert.ok(Math.abs(trace) <= 1e-12 * n * norm, `trace: ${trace}`);
    const alone = symmetricEigenvalues(kernels, a.slice(), n);
    for (const [k, value] of values.entries()) assert.ok(Math.abs(value - alone[k]!) <= 1e-13 * n * norm);
  });
}

test('fewer vectors than there are: the largest', () => {
  const diagonal = [3, 9, 1, 7, 5];
  const a = Float64Array.from({ length: 25 }, (_, at) => (at % 6 === 0 ? diagonal[at / 6]! : 0));
  const { values, vectors } = symmetricEigen(kernels, a, 5, 2, () => 1);
  assert.equal(values, Float64Array.of(9, 7));
  assert.equal(vectors.map(Math.abs), Float64Array.of(0, 0, 1, 0, 0, 0, 0, 1, 0, 0));
});

test.run();
