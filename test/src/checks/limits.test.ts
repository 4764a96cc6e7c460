import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkLimit, type Limits, limitsOf } from '../../../src/checks/limits.js';
import { ArgumentError, LimitError } from '../../../src/errors.js';
import { throws } from '../../helpers/assertions.js';

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

test('docs/security.md lists each entry with its default', () => {
  const page = readFileSync(new URL('../../../docs/security.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| [^|]+ \| (?:2\^)?([\d,]+)/gm)];
  assert.equal(rows.map(([, name]) => name).sort(), Object.keys(limitsOf()).sort());
  for (const [row, name, figure] of rows) {
    const number = Number(figure!.replaceAll(',', ''));
    const value = row.includes('2^') ? 2 ** number : number;
    assert.is(limitsOf()[name as keyof Limits], value, name);
  }
});

test.run();
