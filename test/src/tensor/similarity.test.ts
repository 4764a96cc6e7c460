import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError } from '../../../src/errors.js';
import { similarity } from '../../../src/tensor/similarity.js';
import { throws } from '../../helpers/assertions.js';

const test = suite('similarity');
const f32 = (...values: number[]) => Float32Array.from(values);

test('the same, scaled, turned, opposite', () => {
  assert.equal(similarity(f32(3, 4), f32(3, 4)), { cosine: 1, relativeError: 0 });
  assert.equal(similarity(f32(3, 4), f32(6, 8)), { cosine: 1, relativeError: 1 });
  assert.equal(similarity(f32(3, 4), f32(-4, 3)), { cosine: 0, relativeError: Math.SQRT2 });
  assert.is(similarity(f32(3, 4), f32(-3, -4)).cosine, -1);
});

test('zeros', () => {
  assert.equal(similarity(f32(0, 0), f32(0, 0)), { cosine: 1, relativeError: 0 });
  assert.equal(similarity(f32(), f32()), { cosine: 1, relativeError: 0 });
  assert.equal(similarity(f32(3, 4), f32(0, 0)), { cosine: 0, relativeError: 1 });
  assert.equal(similarity(f32(0), f32(2)), { cosine: 0, relativeError: Number.POSITIVE_INFINITY });
});

test('the largest floats do not overflow', () => {
  assert.is(similarity(f32(3e38, 3e38), f32(3e38, 3e38)).cosine, 1);
});

test('elements that are not finite in the original do not count; those that have become so count as lost', () => {
  const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
  assert.equal(similarity(f32(3, nan, 4, infinity), f32(3, 7, 4, nan)), { cosine: 1, relativeError: 0 });
  assert.equal(similarity(f32(nan), f32(nan)), { cosine: 1, relativeError: 0 });
  for (const wrong of [nan, infinity, -infinity]) {
    assert.equal(similarity(f32(3, 4), f32(3, wrong)), { cosine: 0, relativeError: infinity });
  }
});

test('different sizes are refused', () => {
  throws(() => similarity(f32(1), f32(1, 2)), ArgumentError, /expected 1, got 2/);
});

test.run();
