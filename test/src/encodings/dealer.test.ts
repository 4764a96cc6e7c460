import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Dealer } from '../../../src/encodings/dealer.js';
import { SeededRng } from '../../../src/rng.js';
import { noise } from '../../helpers/encodings.js';

/** The definition, coefficient by coefficient. */
function dealtOneByOne(coefficients: Float32Array, fragments: number, seed: bigint | undefined): number[][] {
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

test('deals as defined, with rotation and without, and gathers back', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 8000, max: 20_000 })),
      fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 5000, max: 20_000 })),
      fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
      (length, fragments, seed) => {
        const coefficients = noise(length);
        const dealer = new Dealer(length, fragments, seed);
        const expected = dealtOneByOne(coefficients, fragments, seed);
        assert.equal(
          [...dealer.counts],
          expected.map((part) => part.length),
        );
        const parts = Array.from(dealer.counts, (count) => new Float32Array(count));
        dealer.deal(coefficients, parts);
        assert.ok(parts.every((part, i) => part.every((value, j) => value === expected[i]![j])));
        const gathered = new Float32Array(length);
        dealer.gather(parts, gathered);
        assert.equal(gathered, coefficients);
        gathered.fill(Number.NaN);
        dealer.gather(
          parts.map((part, i) => (i % 2 === 0 ? part : undefined)),
          gathered,
        );
        const half = parts.map((part, i) => (i % 2 === 0 ? part : part.slice().fill(0)));
        const zeroed = new Float32Array(length);
        dealer.gather(half, zeroed);
        assert.equal(gathered, zeroed);
      },
    ),
    { numRuns: 60 },
  );
});

test.run();
