import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCodec } from '../../src/codecs/loadCodec.js';
import { blockArbitrary } from '../helpers/blockData.js';
import { zstdImplementations } from '../helpers/zstdImplementations.js';

/** libzstd as the system installs it; `npm test` uses the one of an npm package. */
const test = suite('the command zstd');

for (const implementation of zstdImplementations()) {
  if (implementation === 'portable') continue;
  test(`decodes the frames that ${implementation} writes`, async () => {
    const codec = await loadCodec('zstd', { implementation });
    const inputs = fc.sample(blockArbitrary(20_000), 200);
    // Frames one after the other are a valid file.
    const input = Buffer.concat(inputs.map((data) => codec.compress(data)));
    const run = spawnSync('zstd', ['-d', '-c', '-q'], { input, maxBuffer: 1 << 28 });
    if (run.error !== undefined) throw new Error('the command zstd is missing', { cause: run.error });
    assert.is(run.status, 0, String(run.stderr));
    assert.ok(run.stdout.equals(Buffer.concat(inputs)));
  });
}

test.run();
