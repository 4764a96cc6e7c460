/** A file that ends before its tests. */
import { test } from 'uvu';

test('is never run', () => {});
test.run();

throw new TypeError('this module cannot be loaded');
