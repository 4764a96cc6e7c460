/** A test whose set-up fails. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('hooks');

test.before(() => {
  throw new Error('the server did not start');
});
test('needs a server', () => assert.is(1, 1));

test.run();
