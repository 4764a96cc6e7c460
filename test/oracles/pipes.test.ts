import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serveFolder } from '../../cli/serve/folderServer.js';
import { temporaryFolder } from '../helpers/cli.js';

// Here and not beside the other tests of the server: pipes are made by a command.
const test = suite('command line: serve, with named pipes');

test('pipes hold up nothing, and are not served', async () => {
  if (process.platform === 'win32') return;
  const folder = temporaryFolder();
  const pipes = [1, 2, 3, 4, 5].map((number) => `pipe-${number}`);
  execFileSync('mkfifo', pipes, { cwd: folder });
  writeFileSync(join(folder, 'empty.bin'), '');
  await using server = await serveFolder(folder, { host: '127.0.0.1', port: 0 });
  const statuses = await Promise.all(
    [...pipes, 'empty.bin'].map(async (name) => (await fetch(server.url + name)).status),
  );
  assert.equal(statuses, [...pipes.map(() => 404), 200]);
});

test.run();
