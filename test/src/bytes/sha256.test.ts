import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Sha256 } from '../../../src/bytes/sha256.js';
import { pseudoRandomBytes } from '../../helpers/random.js';

const test = suite('SHA-256');

const expected = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test('of the standard: "abc", and nothing', () => {
  const abc = new TextEncoder().encode('abc');
  assert.is(
    new Sha256().update(abc).digest(),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
  assert.is(new Sha256().digest(), expected(new Uint8Array(0)));
});

test('all lengths around blocks', () => {
  const bytes = pseudoRandomBytes(200);
  for (let length = 0; length <= bytes.length; length++) {
    const part = bytes.subarray(0, length);
    assert.is(new Sha256().update(part).digest(), expected(part), `${length} bytes`);
  }
});

test('cut anywhere, the same digest', () => {
  const bytes = pseudoRandomBytes(100_000);
  const digest = expected(bytes);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
      const hash = new Sha256();
      let from = 0;
      for (const cut of [...cuts.sort((a, b) => a - b), bytes.length]) {
        hash.update(bytes.subarray(from, cut));
        from = cut;
      }
      assert.is(hash.digest(), digest);
    }),
    { numRuns: 30 },
  );
});

test.run();
