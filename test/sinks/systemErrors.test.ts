import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  fileSink,
  fileSource,
  folderStagingStore,
  folderStore,
  modelFolder,
  modelFolderSink,
} from '../../node.js';
import { SinkError, SourceError } from '../../src/errors.js';
import { injectFaults, systemError } from '../faults/helpers/injectedFs.js';
import { rejects } from '../helpers/assertions.js';
import { temporaryFolder } from '../helpers/cli.js';

const test = suite('what systems say of files');

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);

/** Each operation of this name fails so, the first `times` times. */
function failing(name: string, code: string, times = Number.POSITIVE_INFINITY) {
  let failures = 0;
  const injected = injectFaults(async (operation) => {
    if (operation.name !== name || failures >= times) return operation.run();
    failures += 1;
    throw systemError(code, name);
  }, folder);
  return { failures: () => failures, [Symbol.dispose]: () => injected[Symbol.dispose]() };
}

test('files that cannot be made: the reason, and never "no such file" for one that was to be made', async () => {
  await writeFile(at('file'), 'x');
  await rejects(fileSink(at('absent', 'x')), SinkError, /^Cannot create the file: its folder does not exist/);
  await rejects(
    fileSink(at('file', 'x')),
    SinkError,
    /^Cannot (create|replace) the file: a part of its path is not a folder/,
  );
  await rejects(
    modelFolderSink(at('absent', 'x')),
    SinkError,
    /^Cannot create the folder: its folder does not exist/,
  );
  for (const [code, reason] of [
    ['EROFS', 'the file system is read-only'],
    ['EACCES', 'this user has no permission'],
    ['ENOSPC', 'the disk is full'],
    // Of `/proc` and of some network file systems.
    ['ENOENT', 'nothing can be made in its folder'],
  ] as const) {
    {
      using _ = failing('open', code);
      await rejects(fileSink(at('new')), SinkError, new RegExp(`^Cannot create the file: ${reason} \\(`));
    }
    using _ = failing('mkdir', code);
    await rejects(
      modelFolderSink(at('new')),
      SinkError,
      new RegExp(`^Cannot create the folder: ${reason} \\(`),
    );
    const made = code === 'ENOENT' ? 'no folder can be made there' : reason;
    const pattern = new RegExp(`^Cannot make (cache|staging) folder: ${made} \\(`);
    await rejects(folderStore(at('new')), SinkError, pattern);
    await rejects(folderStagingStore(at('new')), SinkError, pattern);
  }
});

test('files that cannot be written to, finished or read', async () => {
  await writeFile(at('read'), 'some bytes');
  await using source = await fileSource(at('read'));
  const sink = await fileSink(at('written'));
  await sink.abort();
  {
    using _ = failing('write', 'ENOSPC');
    await using full = await fileSink(at('full'));
    await rejects(
      full.write(new Uint8Array(5), 0),
      SinkError,
      /^Cannot write to the file: the disk is full \(/,
    );
  }
  {
    using _ = failing('rename', 'EACCES');
    const last = await fileSink(at('last'));
    await rejects(last.close(), SinkError, /^Cannot finish the file: this user has no permission \(/);
  }
  {
    using _ = failing('read', 'EIO');
    await using broken = await fileSource(at('read'));
    await rejects(broken.read(0, 5), SourceError, /^Cannot read file: the device has failed \(/);
  }
  await rejects(fileSource(at('absent')), SourceError, /^Cannot open file: it does not exist \(/);
  const file = modelFolder(folder);
  await rejects(
    Promise.resolve(file('absent.hct')),
    SourceError,
    /^Cannot open model file: it does not exist \(/,
  );
  assert.is((await source.read(0, 4)).length, 4);
});

test('entries of a cache that are in use for a moment are stored and deleted all the same', async () => {
  const store = await folderStore(at('cache'));
  for (const code of ['EPERM', 'EBUSY']) {
    {
      using renames = failing('rename', code, 3);
      await store.write('entry', Uint8Array.of(1, 2, 3));
      assert.is(renames.failures(), 3);
    }
    assert.equal([...(await store.read('entry'))!], [1, 2, 3]);
    using deletions = failing('rm', code, 2);
    await store.delete('entry');
    assert.is(deletions.failures(), 2);
    assert.equal(await readdir(at('cache')), []);
  }
});

test.run();
