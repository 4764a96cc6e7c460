import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCodec } from '../../src/codecs/loadCodec.js';
import { blockArbitrary } from '../helpers/blockData.js';
import { lz4Frame } from '../helpers/liblz4.js';

/** liblz4 as the system installs it; `npm test` uses the one of an npm package. */
const test = suite('the command lz4');

function decode(blocks: readonly Uint8Array[]): Uint8Array {
  const run = spawnSync('lz4', ['-d', '-c', '-q', '-', '-'], { input: lz4Frame(blocks), maxBuffer: 1 << 28 });
  if (run.error !== undefined) throw new Error('the command lz4 is missing', { cause: run.error });
  if (run.status !== 0) throw new Error(`liblz4 refuses a block: ${run.stderr}`);
  return run.stdout;
}

for (const implementation of ['portable', 'wasm'] as const) {
  test(`decodes the blocks that ${implementation} writes`, async () => {
    const codec = await loadCodec('lz4', { implementation });
    const inputs = fc.sample(blockArbitrary(20_000), 800);
    assert.ok(Buffer.concat(inputs).equals(decode(inputs.map((input) => codec.compress(input)))));
  });
}

test('refuses a match that ends too late', () => {
  assert.throws(() => decode([Uint8Array.from([0x84, 1, 2, 3, 4, 5, 6, 7, 8, 8, 0, 0x00])]), /refuses/);
});

test.run();
