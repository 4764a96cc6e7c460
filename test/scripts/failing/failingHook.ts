/** A test whose set-up fails. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';

test.before(() => {
  throw new Error('the server did not start');
});
test('needs a server', () => assert.is(1, 1));

test.run();
