/** A property that does not hold, of the same values each time. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const matrix = fc.record({ rows: fc.integer({ min: 1, max: 9 }) });
const property = fc.property(matrix, ({ rows }) => {
  assert.is(rows < 5, true);
});
test('holds', () => fc.assert(property, { seed: 3 }));

test.run();
