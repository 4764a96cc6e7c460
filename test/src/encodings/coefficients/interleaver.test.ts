import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Interleaver, type StretchVisitor } from '../../../../src/encodings/coefficients/interleaver.js';
import { SeededRng } from '../../../../src/kernels/gaussian/rng.js';
import { noise } from '../../../helpers/random.js';

/** The definition, coefficient by coefficient. */
function interleavedOneByOne(
  coefficients: Float32Array,
  fragments: number,
  seed: bigint | undefined,
): number[][] {
  const parts: number[][] = Array.from({ length: fragments }, () => []);
  const rng = seed === undefined ? undefined : new SeededRng(seed);
  let rotation = 0;
  coefficients.forEach((value, p) => {
    if (rng !== undefined && p % fragments === 0) {
      rotation = Number((rng.nextU64() >> 33n) % BigInt(fragments));
    }
    parts[(p + rotation) % fragments]!.push(value);
  });
  return parts;
}

/** Hands the raster over in stretches of about `size`, some of them empty. */
function pass(visit: StretchVisitor, raster: Float32Array, size: number): void {
  for (let start = 0, i = 0; start < raster.length; i++) {
    const end = start + Math.max(0, size - 1 + (i % 3));
    visit(raster.subarray(start, end), start);
    start = Math.min(end, raster.length);
  }
}

test('interleaves as defined, with rotation and without, and gathers back', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 8000, max: 20_000 })),
      fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 5000, max: 20_000 })),
      fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
      fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(5000), fc.constant(100_000)),
      (length, fragments, seed, size) => {
        const coefficients = noise(length);
        const interleaver = new Interleaver(length, fragments, seed);
        const expected = interleavedOneByOne(coefficients, fragments, seed);
        assert.equal(
          [...interleaver.counts],
          expected.map((part) => part.length),
        );
        const parts = Array.from(interleaver.counts, (count) => new Float32Array(count));
        pass(interleaver.interleave(parts), coefficients, size);
        assert.ok(parts.every((part, i) => part.every((value, j) => value === expected[i]![j])));
        const gathered = new Float32Array(length);
        pass(interleaver.gather(parts), gathered, size);
        assert.equal(gathered, coefficients);
        gathered.fill(Number.NaN);
        // Some of four neighbours are missing, and now and then none.
        const missing = (i: number) => i % 7 === 3;
        pass(interleaver.gather(parts.map((part, i) => (missing(i) ? undefined : part))), gathered, size);
        const half = parts.map((part, i) => (missing(i) ? part.slice().fill(0) : part));
        const zeroed = new Float32Array(length);
        pass(interleaver.gather(half), zeroed, size);
        assert.equal(gathered, zeroed);
      },
    ),
    { numRuns: 60 },
  );
});

test.run();
