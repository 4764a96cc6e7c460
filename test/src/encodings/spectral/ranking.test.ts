import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rankByMagnitude } from '../../../../src/encodings/spectral/ranking.js';

test('ranks like a stable sort by magnitude', () => {
  const value = fc.oneof(
    fc.float({ noNaN: true }),
    fc.constantFrom(0, -0, 1, -1, 2 ** -149, Number.POSITIVE_INFINITY),
  );
  fc.assert(
    fc.property(fc.array(value, { maxLength: 300 }), (list) => {
      const values = Float32Array.from(list);
      const expected = list
        .map((_, i) => i)
        .sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!) || a - b);
      // Infinity − Infinity is NaN, which counts as equal: the index decides.
      const ranked = rankByMagnitude(values);
      assert.equal([...ranked.order], expected);
      assert.equal(
        [...ranked.values],
        expected.map((index) => values[index]),
      );
      assert.equal([...values], list, 'the input stays');
    }),
  );
});

test.run();
