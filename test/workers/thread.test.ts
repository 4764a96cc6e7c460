import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startThread } from '../../workers/thread.js';

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

test.run();
