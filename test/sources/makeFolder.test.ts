import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderStagingStore } from '../../models/file/folderStagingStore.js';
import { folderStore } from '../../sources/cache/folderStore.js';
import { SinkError } from '../../src/errors.js';
import { rejects } from '../helpers/assertions.js';
import { temporaryFolder } from '../helpers/cli.js';

const test = suite('folders that are made');

const root = temporaryFolder();
const MAKERS = { folderStore, folderStagingStore };

for (const [name, make] of Object.entries(MAKERS)) {
  const at = (...names: string[]) => join(root, name, ...names);
  mkdirSync(at());

  test(`${name}: with those above it, also by several at once, and again`, async () => {
    await Promise.all([make(at('a', 'b', 'c')), make(at('a', 'b', 'd')), make(at('a', 'b', 'c'))]);
    await make(at('a', 'b', 'c'));
    for (const made of ['c', 'd']) assert.ok(statSync(at('a', 'b', made)).isDirectory());
  });

  test(`${name}: where there is a file, or no folder can be: the reason of the system`, async () => {
    writeFileSync(at('file'), '');
    const codeOf = async (path: string) => {
      const { cause } = await rejects(make(path), SinkError, /^Cannot make/);
      return (cause as NodeJS.ErrnoException).code;
    };
    assert.is(await codeOf(at('file')), 'EEXIST');
    assert.is(await codeOf(at('file', 'a', 'b')), 'ENOTDIR');
    if (process.platform === 'linux') assert.is(await codeOf('/proc/holostream/a'), 'ENOENT');
  });
}

test.run();
