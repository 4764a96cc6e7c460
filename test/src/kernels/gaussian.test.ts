import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRng } from '../../../src/kernels/gaussian/rng.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { portableKernels as portable } from '../../../src/kernels/portableKernels.js';
import { noise } from '../../helpers/random.js';

const wasm = await loadKernels({ implementation: 'wasm' });

const seeds = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

/** Row `index` of the matrix: what a sum over rows becomes when only its product is not 0. */
function matrixRow(seed: bigint, columns: number, index: number): Float64Array {
  const products = new Float64Array(index + 1);
  products[index] = 1;
  const row = new Float64Array(columns);
  wasm.gaussianRows(seed, undefined, products, row);
  return row;
}

/** A generator that is off by one bit gives other numbers altogether; this bound is for the polynomials. */
function assertNormals(actual: Float64Array, rng: SeededRng): void {
  for (const [i, value] of actual.entries()) {
    const expected = rng.nextNormal();
    const error = Math.abs(value - expected) / Math.max(1, Math.abs(expected));
    if (!(error <= 1e-6)) assert.unreachable(`[${i}]: ${value} for ${expected}`);
  }
}

test('the normals are those of the generator, for any number of columns', () => {
  const columns = fc.integer({ min: 1, max: 300 });
  fc.assert(
    fc.property(seeds, columns, fc.integer({ min: 0, max: 5 }), (seed, length, index) => {
      const rng = new SeededRng(seed);
      for (let skipped = 0; skipped < index * length; skipped++) rng.nextNormal();
      assertNormals(matrixRow(seed, length, index), rng);
    }),
  );
});

test('a million normals, with the logarithm of the smallest uniform number first', () => {
  // The generator of seed 0 begins with a uniform number of 0.
  assertNormals(matrixRow(0n, 1_000_003, 0), new SeededRng(0n));
});

/** A normal of at most 6.8, off by 1e-6 of itself, squared; or times a product, which the test takes into account. */
const TERM_ERROR = 1e-6 * 2 * 6.8 ** 2;

test('products, sums and squares are those of the portable kernel', () => {
  const size = fc.integer({ min: 0, max: 70 });
  fc.assert(
    fc.property(seeds, size, size, fc.boolean(), fc.boolean(), (seed, rows, columns, project, square) => {
      const data = project ? Float64Array.from(noise(columns, 1)) : undefined;
      const run = ({ gaussianRows }: typeof wasm) => {
        const products = Float64Array.from(noise(rows, 2));
        const sums = Float64Array.from(noise(columns, 3));
        const squares = square ? Float64Array.from(noise(columns, 4)) : undefined;
        gaussianRows(seed, data, products, sums, squares);
        return { products, sums, squares: squares ?? [] };
      };
      const actual = run(wasm);
      const expected = run(portable);
      const factor = expected.products.reduce((most, product) => Math.max(most, Math.abs(product)), 1);
      for (const kind of ['products', 'sums', 'squares'] as const) {
        for (const [i, value] of expected[kind].entries()) {
          const error = Math.abs(actual[kind][i]! - value);
          // Sums may cancel out: what counts is the size of their terms, not their own.
          assert.ok(error <= TERM_ERROR * factor * (1 + rows + columns), `${kind}[${i}]: ${error}`);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test.run();
