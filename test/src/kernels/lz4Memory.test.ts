import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lz4Compress } from '../../../src/kernels/lz4/portable/encode.js';
import { LZ4_WASM } from '../../../src/kernels/lz4/wasm/lz4.generated.js';
import { inflateModule } from '../../../src/kernels/runtime/module.js';
import { blockArbitrary } from '../../helpers/blockData.js';
import { Outcomes } from '../../helpers/outcomes.js';
import { runsOf } from '../../helpers/runs.js';

/** What the kernel may touch behind each buffer; see `src/kernels/lz4/wasm.ts`. */
const SLACK = 64;
const SCRATCH = 1024;
const OUT = 4096;
const MEMORY = 65536;
const CANARY = 0xa5;

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
const module = await WebAssembly.compile(await inflateModule(LZ4_WASM));
const { decode } = (await WebAssembly.instantiate(module, { env: { memory } })).exports as {
  decode(block: number, length: number, out: number, outLength: number, scratch: number): number;
};
const bytes = new Uint8Array(memory.buffer);

/**
 * The block ends, slack included, with the memory: a read beyond it traps.
 * @returns where what was decoded is: behind `OUT`, or in the block; 0 for a block that is refused
 */
function decodeAtTheEnd(block: Uint8Array, outLength: number): number {
  bytes.fill(CANARY);
  const start = MEMORY - SLACK - block.length;
  bytes.set(block, start);
  const decoded = decode(start, block.length, OUT, outLength, SCRATCH);
  const isCanary = (byte: number) => byte === CANARY;
  assert.ok(bytes.subarray(0, SCRATCH).every(isCanary), 'wrote before its scratch');
  assert.ok(bytes.subarray(SCRATCH + 256, OUT).every(isCanary), 'wrote before its output');
  assert.ok(bytes.subarray(OUT + outLength + SLACK, start).every(isCanary), 'wrote behind its output');
  assert.equal(bytes.subarray(start, MEMORY - SLACK), block, 'wrote into the block');
  if (decoded > 0 && decoded !== OUT) {
    assert.ok(decoded > start && decoded + outLength <= MEMORY - SLACK, 'gives out more than the block');
  }
  return decoded;
}

test('decodes in place between canaries', () => {
  fc.assert(
    fc.property(blockArbitrary(20_000), (data) => {
      const decoded = decodeAtTheEnd(lz4Compress(data), data.length);
      assert.ok(decoded > 0, 'refuses a good block');
      assert.equal(bytes.subarray(decoded, decoded + data.length), data);
    }),
    { numRuns: 200 },
  );
});

test('touches nothing else whatever the block says', () => {
  const seen = new Outcomes();
  fc.assert(
    fc.property(
      blockArbitrary(3000),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
      fc.oneof(fc.constant(0), fc.integer({ min: -40, max: 40 })),
      (data, edits, difference) => {
        const block = lz4Compress(data);
        for (const [place, value] of edits) block[place % block.length] = value;
        seen.add(decodeAtTheEnd(block, Math.max(0, data.length + difference)) > 0);
      },
    ),
    { numRuns: runsOf(1500) },
  );
  seen.assertBoth(0.2);
});

test('touches nothing else when the block is noise', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(2000), (block, length) => {
      decodeAtTheEnd(block, length);
    }),
    { numRuns: runsOf(1500) },
  );
});

test.run();
