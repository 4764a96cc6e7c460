import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nextTask } from '../../../src/async/steps.js';
import { free } from '../../../src/bytes/sharedMemory.js';

const LENGTH = 2 ** 24;

test('memory that is freed is given back at once, before any garbage is collected', async () => {
  const kept: Uint8Array[] = [];
  const { arrayBuffers: before } = process.memoryUsage();
  for (let i = 0; i < 8; i++) {
    const bytes = new Uint8Array(LENGTH).fill(1);
    kept.push(bytes);
    free([bytes.buffer]);
    assert.is(bytes.length, 0);
  }
  for (let turns = 0; process.memoryUsage().arrayBuffers > before + LENGTH; turns++) {
    assert.ok(turns < 1000, 'it stays');
    await nextTask();
  }
  assert.is(kept.length, 8);
});

test('what is shared or small stays, what is given twice or is free already is passed over', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(8)).fill(1);
  const own = new Uint8Array(LENGTH);
  const small = new Uint8Array(8);
  free([own.buffer, shared.buffer, own.subarray(4).buffer, small.buffer]);
  free([own.buffer]);
  assert.equal([own.length, small.length], [0, 8]);
  assert.equal([...shared], Array(8).fill(1));
});

test.run();
