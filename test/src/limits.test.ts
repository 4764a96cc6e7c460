import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError, LimitError } from '../../src/errors.js';
import { checkLimit, type Limits, limitsOf } from '../../src/limits.js';
import { throws } from '../helpers/assertions.js';

const test = suite('limits');

test('entries that are not given have their defaults, also those that are undefined', () => {
  const all = limitsOf();
  assert.is(all.tensorBytes, 2 ** 32);
  assert.is(all.totalBytes, 2 ** 36, 'in Node');
  assert.equal(limitsOf({}), all);
  assert.equal(limitsOf({ limits: { tensorBytes: undefined } }), all);
  assert.equal(limitsOf({ limits: { rank: 3 } }), { ...all, rank: 3 });
  assert.equal(limitsOf({ limits: limitsOf({ limits: { rank: 3 } }) }), { ...all, rank: 3 });
  assert.is(limitsOf({ limits: { tensorBytes: Number.POSITIVE_INFINITY } }).tensorBytes, Infinity);
});

test('what is no limit is refused, because a limit that is misspelled would protect nothing', () => {
  const wrong: unknown[] = [
    { tensorByte: 1 },
    { maxBytes: 1 },
    { tensorBytes: -1 },
    { tensorBytes: Number.NaN },
    { tensorBytes: '1' },
    { tensorBytes: 1n },
    { tensorBytes: null },
    { concurrency: 0 },
    { toString: 1 },
    null,
    5,
    'tensorBytes',
  ];
  for (const limits of wrong) {
    throws(() => limitsOf({ limits: limits as Limits }), ArgumentError, /limits/);
  }
  throws(
    () => limitsOf({ limits: { tensorByte: 1 } as Limits }),
    ArgumentError,
    /\[tensorBytes, headerBytes/,
  );
});

test('the error says which entry raises the limit, and the figures', () => {
  const limits = limitsOf({ limits: { fragments: 4 } });
  checkLimit(limits, 'fragments', 4, 'Cannot read the index: too many fragments');
  const error = throws(
    () => checkLimit(limits, 'fragments', 5, 'Cannot read the index: too many fragments', { name: 'a' }),
    LimitError,
  );
  assert.is(
    error.message,
    'Cannot read the index: too many fragments (option limits.fragments) (a): expected at most 4, got 5',
  );
});

test.run();
