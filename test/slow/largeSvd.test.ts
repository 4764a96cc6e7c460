import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { truncatedSvd } from '../../src/encodings/lowRank/svd/truncatedSvd.js';
import { linearKernels } from '../../src/kernels/linear/encodeKernels.js';
import { matrix } from '../../src/kernels/linear/matrix.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { dot, gaussian } from '../helpers/linalg.js';

/** Spectra that are hard for the range finder, which matrices beyond 2048 rows and columns go through. */
const test = suite('singular values of large matrices');

// A diagonal matrix is as hard as any other with its singular values: the range finder starts at random.
const HARD: Readonly<Record<string, readonly [rank: number, sigma: (i: number) => number]>> = {
  'a cluster of a thousand values a few thousandths apart': [
    32,
    (i) => (i < 1000 ? 1 - 0.004 * (i / 1000) : 0.5),
  ],
  'a cluster of all values': [32, (i) => 1 - 0.01 * (i / LARGE)],
  'forty equal values, close above the others': [64, (i) => (i < 40 ? 1 : 0.995 - 0.2 * (i / LARGE))],
  'an edge without a gap': [16, (i) => 1 - (i / LARGE) ** 2],
};
const LARGE = 2112;
for (const [name, [rank, sigma]] of Object.entries(HARD)) {
  test(`${name}, in a matrix too large to decompose whole`, async () => {
    const data = new Float32Array(LARGE * LARGE);
    for (let i = 0; i < LARGE; i++) data[i * LARGE + i] = sigma(i);
    const found = truncatedSvd(linearKernels(await loadKernels()), matrix(data, LARGE, LARGE), rank);
    const best = Float64Array.from({ length: rank }, (_, i) => sigma(i));
    assert.ok(dot(found.sigma, found.sigma) >= 0.9995 * dot(best, best));
  });
}

test('strong directions above noise: vectors as exact as f32 can tell, though most products are in it', async () => {
  const kernels = linearKernels(await loadKernels());
  const size = 2100;
  const data = gaussian(size * size, 1);
  for (let k = 0; k < 6; k++) {
    const [u, v] = [gaussian(size, 10 + k), gaussian(size, 20 + k)];
    const scale = (3 * 1.2 ** k) / Math.sqrt(size);
    for (let i = 0, at = 0; i < size; i++)
      for (let j = 0; j < size; j++, at++) data[at]! += scale * u[i]! * v[j]!;
  }
  const a = matrix(data, size, size);
  const { sigma, u, v } = truncatedSvd(kernels, a, 6);
  const pulled = new Float64Array(6 * size);
  kernels.multiply(matrix(u, 6, size), a, pulled);
  for (let k = 0; k < 6; k++) {
    const row = pulled.subarray(k * size, (k + 1) * size);
    const error = Math.hypot(...row.map((value, j) => value / sigma[k]! - v[k * size + j]!));
    assert.ok(error < 1e-4, `vector ${k} is off by ${error}`);
  }
});

test.run();
