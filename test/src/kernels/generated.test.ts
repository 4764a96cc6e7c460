import { readFile } from 'node:fs/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { kernelSubjects, sourceHash } from '../../../scripts/kernelSources.js';

test('every committed wasm module was made from the present sources', async () => {
  const subjects = await kernelSubjects();
  assert.ok(subjects.length > 0);
  for (const subject of subjects) {
    const text = await readFile(subject.generated, 'utf8');
    assert.is(
      text.match(/^\/\/ sources (\w+)$/m)?.[1],
      await sourceHash(subject),
      `npm run build:kernels -- ${subject.name}`,
    );
  }
});

test.run();
