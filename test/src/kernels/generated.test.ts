import { readFile } from 'node:fs/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KERNEL_MODULES, sourceHash } from '../../../scripts/kernelSources.js';

test('every committed wasm module was made from the present sources', async () => {
  for (const module of KERNEL_MODULES) {
    const text = await readFile(module.generated, 'utf8');
    assert.is(
      text.match(/^\/\/ sources (\w+)$/m)?.[1],
      await sourceHash(module),
      `npm run build:kernels -- ${module.name}`,
    );
  }
});

test.run();
