import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { growth, MIN_SAMPLES } from './trend.js';

const test = suite('growth of memory');

test('growth is what most pairs of samples show', () => {
  const steady = Array.from({ length: 40 }, (_, i) => 1000 + (i % 3));
  assert.ok(Math.abs(growth(steady)!) < 3);
  // Caches fill first.
  assert.ok(Math.abs(growth(steady.map((x, i) => x + 500 * Math.min(i, 20)))!) < 3);
  const outliers = steady.map((x, i) => (i % 4 === 0 ? 1_000_000 : x));
  assert.ok(Math.abs(growth(outliers)!) < 100);
  assert.ok(Math.abs(growth(outliers.map((x, i) => x + 10 * i))! - 190) < 30);
  assert.is(growth(steady.slice(0, 2 * MIN_SAMPLES - 2)), undefined);
});

test.run();
