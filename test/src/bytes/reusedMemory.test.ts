import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ReusedMemory } from '../../../src/bytes/reusedMemory.js';

const GRAIN = 2 ** 16;

test('gives the same memory again, the smallest that fits', () => {
  const memory = new ReusedMemory(100 * GRAIN);
  const [large, small] = [memory.take(4 * GRAIN), memory.take(2 * GRAIN - 5)];
  assert.equal([large.length, small.length], [4 * GRAIN, 2 * GRAIN - 5]);
  memory.give(small.buffer);
  memory.give(large.buffer);
  assert.is(memory.take(2 * GRAIN).buffer, small.buffer);
  assert.is(memory.take(2 * GRAIN).buffer, large.buffer);
  assert.is.not(memory.take(2 * GRAIN).buffer, large.buffer);
});

test('small arrays have memory of large ones only where there would be too much else', () => {
  const memory = new ReusedMemory(12 * GRAIN);
  const large = memory.take(10 * GRAIN).buffer;
  memory.give(large);
  const small = memory.take(2 * GRAIN).buffer;
  assert.is.not(small, large);
  assert.is(memory.take(2 * GRAIN).buffer, large);
});

test('what is in use counts: other memory is freed before there is more', () => {
  const memory = new ReusedMemory(8 * GRAIN);
  const [used, unused] = [memory.take(4 * GRAIN), memory.take(4 * GRAIN)];
  memory.give(unused.buffer);
  const larger = memory.take(7 * GRAIN);
  assert.is(unused.buffer.byteLength, 0);
  assert.is(used.length + larger.length, 11 * GRAIN);
  memory.give(larger.buffer);
  assert.is(larger.buffer.byteLength, 0);
});

test('keeps no more than it may, and nothing that is small', () => {
  const memory = new ReusedMemory(4 * GRAIN);
  const taken = [memory.take(3 * GRAIN), memory.take(2 * GRAIN)];
  for (const { buffer } of taken) memory.give(buffer);
  // Both together are more than is kept: the first one that came back is not.
  const again = memory.take(3 * GRAIN);
  assert.is.not(again.buffer, taken[0]!.buffer);
  const little = memory.take(100);
  memory.give(little.buffer);
  assert.is.not(memory.take(100).buffer, little.buffer);
});

test.run();
