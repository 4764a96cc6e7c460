import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileSource } from '../../node.js';
import { SourceError, TruncatedError } from '../../src/errors.js';
import { rejects } from '../helpers/assertions.js';
import { openFiles } from '../helpers/openFiles.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { collect } from '../helpers/streams.js';

const test = suite('fileSource');

let folder: string;
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holostream-'));
});
test.after(() => rm(folder, { recursive: true }));

test('holds one handle, whatever is read, cancelled or aborted, and gives it back', async () => {
  const path = join(folder, 'a');
  const bytes = pseudoRandomBytes(300_000);
  await writeFile(path, bytes);
  {
    await using file = await fileSource(pathToFileURL(path));
    assert.is(openFiles(folder), 1);
    for (let reads = 0; reads < 6; reads++) {
      const abort = new AbortController();
      const reader = file.stream({ signal: abort.signal }).getReader();
      for (let i = 0; i < reads; i++) await reader.read();
      if (reads % 2 === 0) await reader.cancel();
      else abort.abort();
    }
    const parts = await Promise.all(Array.from({ length: 30 }, (_, i) => file.read(i * 10_000, 10_000)));
    assert.equal(new Uint8Array(Buffer.concat(parts)), bytes);
    assert.is(openFiles(folder), 1);
  }
  assert.is(openFiles(folder), 0);
});

test('what cannot be opened: no such file, a folder', async () => {
  const missing = await rejects(fileSource(join(folder, 'none')), SourceError, /Cannot open file.*none/);
  assert.is((missing.cause as NodeJS.ErrnoException).code, 'ENOENT');
  await rejects(fileSource(folder), SourceError, /not a regular file/);
  assert.is(openFiles(folder), 0);
});

test('a file cut short while open; a source that is closed', async () => {
  const path = join(folder, 'b');
  await writeFile(path, pseudoRandomBytes(100_000));
  const file = await fileSource(path);
  await truncate(path, 70_000);
  await rejects(file.read(60_000, 20_000), TruncatedError, /cut short.*byte 70000/);
  await rejects(collect(file.stream()), TruncatedError, /cut short/);
  await file.close();
  await rejects(file.read(0, 1), SourceError, /Cannot read file/);
});

test.run();
