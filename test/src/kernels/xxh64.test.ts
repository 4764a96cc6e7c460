import { test } from 'uvu';
import * as assert from 'uvu/assert';
import createXxhash from 'xxhash-wasm';
import { xxh64 } from '../../../src/kernels/zstd/xxh64.js';
import { blockData } from '../../helpers/blockData.js';

const { h64Raw } = await createXxhash();

test('agrees with xxhash-wasm on every short length and on long ones, unaligned', () => {
  const data = blockData('random', 70_000);
  const lengths = [...Array(300).keys(), 1023, 1024, 4097, 65_537];
  for (const length of lengths) {
    const part = data.subarray(5, 5 + length);
    assert.is(xxh64(part), h64Raw(part), `length ${length}`);
  }
});

test('agrees where products and sums carry most', () => {
  for (const fill of [0x00, 0x80, 0xff]) {
    const data = new Uint8Array(10_007).fill(fill);
    assert.is(xxh64(data), h64Raw(data));
  }
});

test.run();
