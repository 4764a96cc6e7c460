import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { handshake, READY } from '../../workers/protocol.js';
import { tick } from '../helpers/streams.js';

function recorded(ms: number) {
  const heard: unknown[] = [];
  const events = handshake(ms, {
    ready: () => heard.push('ready'),
    reply: (reply) => heard.push(reply),
    crash: (cause) => heard.push((cause as Error).message),
  });
  return { heard, events };
}

test('first ready, then replies', () => {
  const { heard, events } = recorded(1000);
  const reply = { id: 1, output: 2, borrowed: [] };
  for (const message of [READY, reply]) events.message(message);
  assert.equal(heard, ['ready', reply]);
});

test('a worker is not late because this thread was busy', async () => {
  const { heard, events } = recorded(40);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => events.message(data);
  port2.postMessage(READY);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  await tick(60);
  port1.close();
  assert.equal(heard, ['ready']);
});

test('silence is a crash', async () => {
  const { heard } = recorded(2);
  while (heard.length === 0) await tick(1);
  assert.match(heard[0] as string, 'was not ready after 2 ms');
});

test.run();
