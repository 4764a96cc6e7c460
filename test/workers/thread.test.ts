import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startThread } from '../../workers/thread.js';
import { openFiles } from '../helpers/openFiles.js';
import { tick, until } from '../helpers/streams.js';

const GREETS_AND_DIES = new URL(
  `data:text/javascript,${encodeURIComponent(`
    process.getBuiltinModule('node:worker_threads').parentPort.postMessage('ready');
    throw new RangeError('out of range');
  `)}`,
);

test('what a worker has sent before it dies is heard first', async () => {
  for (let round = 0; round < 40; round++) {
    const heard: unknown[] = [];
    await new Promise<void>((resolve) => {
      const thread = startThread(GREETS_AND_DIES, {
        message: (data) => heard.push(data),
        crash: (cause) => {
          heard.push((cause as Error).message);
          resolve();
        },
      });
      thread.keepAlive(true);
      // While this thread is busy, an engine may deliver the error before the message.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, round);
    });
    assert.equal(heard, ['ready', 'out of range']);
  }
});

test('a thread that is stopped while it loads modules leaves no file open', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holostream-'));
  const names = Array.from({ length: 100 }, (_, i) => `${i}.mjs`);
  for (const name of names) writeFileSync(join(folder, name), '');
  const script = join(folder, 'worker.mjs');
  const greeting = "process.getBuiltinModule('node:worker_threads').parentPort.postMessage('ready');";
  writeFileSync(script, `${names.map((name) => `import './${name}';`).join('')}${greeting}`);
  const url = pathToFileURL(script);
  let ended = 0;
  const count = 40;
  for (let i = 0; i < count; i++) {
    let stopped = false;
    const thread = startThread(url, {
      message: () => assert.not(stopped),
      crash: () => {
        ended += 1;
      },
    });
    // Some are still loading then.
    await tick(4 * i);
    stopped = true;
    thread.stop();
  }
  await until(() => ended === count && openFiles(folder) === 0);
  assert.is(ended, count);
  assert.is(openFiles(folder), 0);
  rmSync(folder, { recursive: true });
});

test.run();
