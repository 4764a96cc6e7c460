/**
 * `npm run demo`: encodes the digits model (see `digits/README.md`), streams it over a local HTTP server and uses it. The exit
 * code is 0 unless a bit or the accuracy has changed.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSafetensors } from 'holostream';
import { fileSource } from 'holostream/node';
import { demonstrateFragments } from './demo/fragments.js';
import { demonstrateHct } from './demo/hct.js';
import { demonstrateRemote } from './demo/remote.js';
import { layersOf, tensorsOf } from './digits/model.js';
import { testSet } from './digits/testSet.js';

const work = await mkdtemp(join(tmpdir(), 'holostream-demo-'));
try {
  await using model = await fileSource(new URL('digits/digits.safetensors', import.meta.url));
  const tensors = await readSafetensors(model);
  const samples = testSet();
  console.log(`A classifier of drawn digits: ${tensors.size} tensors, ${model.size} bytes of safetensors`);
  await demonstrateHct(model, tensors, samples, join(work, 'model'));
  for (const encoding of ['embedded', 'spectral'] as const) {
    await demonstrateFragments(
      tensorsOf(layersOf(tensors)),
      samples.slice(0, 500),
      await mkdtemp(join(work, 'fragments-')),
      encoding,
    );
  }
  await demonstrateRemote(model, tensors, samples, await mkdtemp(join(work, 'remote-')));
} finally {
  await rm(work, { recursive: true });
}
