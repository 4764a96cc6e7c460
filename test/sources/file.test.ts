import { mkdtemp, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileSource } from '../../node.js';
import { SourceChangedError, SourceError, TruncatedError } from '../../src/errors.js';
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
  await rejects(collect(file.stream({ start: 70_000 })), TruncatedError, /cut short/);
  await rejects(file.read(0, 10), SourceChangedError, /file changed, by its size.*100000.*70000/);
  await file.close();
  await rejects(file.read(0, 1), SourceError, /Cannot read file/);
});

test('a file that is written to while open: no read or stream mixes two versions', async () => {
  const path = join(folder, 'c');
  await writeFile(path, pseudoRandomBytes(200_000));
  await utimes(path, 1000, 1000);
  await using file = await fileSource(path);
  await file.read(0, 10);
  const stream = file.stream().getReader();
  await stream.read();
  await writeFile(path, pseudoRandomBytes(200_000, 2), { flag: 'r+' });
  const changed = /file changed since it was opened.*1970-01-01T00:16:40/;
  await rejects(stream.read(), SourceChangedError, changed);
  await rejects(file.read(0, 10), SourceChangedError, changed);

  // After its last chunk, too: the stream ends by an error.
  await utimes(path, 2000, 2000);
  await using again = await fileSource(path);
  const whole = again.stream({ start: 199_000 }).getReader();
  assert.is((await whole.read()).value?.length, 1000);
  await utimes(path, 3000, 3000);
  await rejects(whole.read(), SourceChangedError, /since it was opened/);
});

test('a new file under the name of an open one: the open one is read to its end', async () => {
  const path = join(folder, 'd');
  const old = pseudoRandomBytes(200_000);
  await writeFile(path, old);
  await using file = await fileSource(path);
  await file.read(0, 10);
  await writeFile(join(folder, 'e'), pseudoRandomBytes(100, 2));
  await rename(join(folder, 'e'), path);
  assert.ok(Buffer.concat(await collect(file.stream())).equals(old));
});

test.run();
