import { createXXHash3 } from 'hash-wasm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';
import { Xxh3Stream } from '../../../src/kernels/xxh3/stream.js';
import { blockData } from '../../helpers/blockData.js';

const oracle = await createXXHash3();

function expected(bytes: Uint8Array): bigint {
  oracle.init();
  oracle.update(bytes);
  // hash-wasm prints the digest most significant byte first.
  return BigInt(`0x${oracle.digest('hex')}`);
}

for (const { implementation, xxh3, hashing } of [
  portableKernels,
  await loadKernels({ implementation: 'wasm' }),
]) {
  test(`${implementation}: knows the published value of the empty input`, () => {
    // From the test vectors of xxHash (tests/sanity_test_vectors.h): XXH3 64, length 0, seed 0.
    assert.is(xxh3(new Uint8Array(0)), 0x2d06800538d394c2n);
  });

  test(`${implementation}: agrees with hash-wasm on every length up to four blocks, unaligned`, () => {
    const data = blockData('random', 4200);
    for (let length = 0; length + 3 <= data.length; length++) {
      const part = data.subarray(3, 3 + length);
      if (xxh3(part) !== expected(part)) assert.unreachable(`length ${length}`);
    }
  });

  test(`${implementation}: agrees where products and sums carry most`, () => {
    for (const fill of [0x00, 0x7f, 0x80, 0xff]) {
      const data = new Uint8Array(100_003).fill(fill);
      assert.is(xxh3(data), expected(data), `bytes of ${fill}`);
    }
  });

  test(`${implementation}: agrees on long random inputs, in one piece and in many`, () => {
    for (let seed = 0; seed < 20; seed++) {
      const data = blockData('random', 16384 + 977 * seed * seed, seed);
      assert.is(xxh3(data), expected(data), `seed ${seed}`);
    }
  });

  test(`${implementation}: hashes several inputs at once, in steps that follow one another in any order`, () => {
    const data = blockData('random', 2 ** 22 + 3000);
    const inputs = [0, 100, 2000].map((start) => data.subarray(start));
    const works = inputs.map((input) => ({ input, steps: hashing(input) }));
    let rounds = 0;
    for (let left = works; left.length > 0; rounds++) {
      left = left.filter(({ input, steps }) => {
        const { done, value } = steps.next();
        if (done) assert.is(value, expected(input), `${input.length} bytes`);
        return !done;
      });
    }
    assert.ok(rounds > 1, `${rounds} rounds`);
  });
}

test('of bytes that come one after another: in parts of any sizes, and at any length', () => {
  const data = blockData('random', 10_000);
  for (const length of [0, 1, 240, 241, 1023, 1024, 1025, 1088, 2047, 2048, 2049, 3000, 10_000]) {
    for (const size of [1, 63, 64, 100, 1023, 1024, 1025, 2048, 5000]) {
      const stream = new Xxh3Stream();
      for (let at = 0; at < length; at += size) stream.update(data.subarray(at, Math.min(at + size, length)));
      assert.is(stream.digest(), expected(data.subarray(0, length)), `${length} bytes in parts of ${size}`);
    }
  }
});

test.run();
