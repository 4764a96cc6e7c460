/** Two tests that fail and one that passes: what `runTests.test.ts` wants to see reported. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';

test('counts to three', () => assert.is(1 + 1, 3));
test('says what went wrong', () => {
  throw new Error('no such weight\nand more');
});
test('passes', () => assert.is(1, 1));

test.run();
