/** A test that passes and one that fails, each of which leaves something behind; and one after them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { afterEach } from '../../helpers/afterEach.js';

const test = suite('clean-up');
const left: string[] = [];

afterEach(test, () => assert.equal(left.splice(0), [], 'left open'));

test('passes', () => {
  left.push('a request');
});
test('fails', () => {
  left.push('a file');
  throw new Error('no such file');
});
test('runs', () => assert.is(1, 1));

test.run();
