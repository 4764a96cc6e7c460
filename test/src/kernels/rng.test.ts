import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRng } from '../../../src/kernels/gaussian/rng.js';
import { manifest } from '../../helpers/fixtures.js';

interface RngVector {
  readonly seed: string;
  readonly nextU64: readonly string[];
  readonly nextF32: readonly number[];
  readonly nextNormal: readonly number[];
}

for (const vector of manifest<{ rng: RngVector[] }>('vectors').rng) {
  test(`seed ${vector.seed}: the reference's outputs`, () => {
    const integers = new SeededRng(BigInt(vector.seed));
    assert.equal(
      vector.nextU64.map(() => integers.nextU64()),
      vector.nextU64.map(BigInt),
    );
    const uniform = new SeededRng(BigInt(vector.seed));
    // The manifest rounds to the digits that tell f32 values apart.
    assert.equal(
      vector.nextF32.map(() => uniform.nextF32()),
      vector.nextF32.map(Math.fround),
    );
    const normal = new SeededRng(BigInt(vector.seed));
    for (const expected of vector.nextNormal) {
      const actual = normal.nextNormal();
      assert.ok(
        Math.abs(actual - expected) <= 1e-6 * Math.max(1, Math.abs(expected)),
        `${actual} ${expected}`,
      );
    }
  });
}

test('the halves are the 64-bit recurrence, for any seed', () => {
  const mask = (1n << 64n) - 1n;
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: mask }), (seed) => {
      const rng = new SeededRng(seed);
      let x = (seed + 1n) & mask;
      for (let i = 0; i < 20; i++) {
        x ^= (x << 13n) & mask;
        x ^= x >> 7n;
        x ^= (x << 17n) & mask;
        assert.is(rng.nextU64(), x);
      }
    }),
  );
});

test('the seed that yields zeros for ever', () => {
  const rng = new SeededRng((1n << 64n) - 1n);
  assert.is(rng.nextU64(), 0n);
  assert.is(rng.nextHigh32(), 0);
  assert.is(rng.nextU64(), 0n);
});

test('normals have mean 0 and variance 1', () => {
  const rng = new SeededRng(7n);
  const count = 200_000;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    const value = rng.nextNormal();
    sum += value;
    squares += value * value;
  }
  assert.ok(Math.abs(sum / count) < 0.01);
  assert.ok(Math.abs(squares / count - 1) < 0.02);
});

test.run();
