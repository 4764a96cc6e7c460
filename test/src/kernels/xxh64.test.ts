import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import createXxhash from 'xxhash-wasm';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { xxh64 } from '../../../src/kernels/zstd/portable/xxh64.js';
import { blockData } from '../../helpers/blockData.js';

const test = suite('XXH64, with which Zstandard frames end');

const { h64Raw } = await createXxhash();
const kernels = await Promise.all(
  (['portable', 'wasm'] as const).map((implementation) => loadKernels(['zstd'], { implementation })),
);

function assertAgrees(data: Uint8Array): void {
  const expected = h64Raw(data);
  assert.is(xxh64(data), expected, `length ${data.length}`);
  for (const { zstdChecksum, implementation } of kernels) {
    const low = Number(expected & 0xffff_ffffn);
    assert.is(zstdChecksum(data), low, `${implementation}, length ${data.length}`);
  }
}

test('agrees with xxhash-wasm on every short length and on long ones, unaligned', () => {
  const data = blockData('random', 70_000);
  const lengths = [...Array(300).keys(), 1023, 1024, 4097, 65_537];
  for (const length of lengths) assertAgrees(data.subarray(5, 5 + length));
});

test('agrees where products and sums carry most', () => {
  for (const fill of [0x00, 0x80, 0xff]) assertAgrees(new Uint8Array(10_007).fill(fill));
});

test.run();
