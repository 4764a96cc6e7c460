import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { uncleared, withRoom } from '../../../src/bytes/room.js';

const test = suite('memory that is filled from the first byte to the last');

test('is as long as it was asked for, in memory of its own, of the plain class', () => {
  for (const length of [0, 1, 2 ** 16 - 1, 2 ** 16, 1_000_003]) {
    const bytes = uncleared(length);
    assert.is(bytes.constructor, Uint8Array);
    assert.is(bytes.length, length);
    assert.is(bytes.byteOffset, 0);
    // It is handed out and transferred: a part of a pool would take others with it.
    assert.is(bytes.buffer.byteLength, length);
    structuredClone(bytes, { transfer: [bytes.buffer] });
    assert.is(bytes.buffer.byteLength, 0);
  }
});

test('comes from Node without being cleared from 64 KiB on, and elsewhere from the engine', () => {
  const buffers = Buffer;
  const { allocUnsafeSlow } = Buffer;
  const asked: number[] = [];
  Buffer.allocUnsafeSlow = (length) => {
    asked.push(length);
    return allocUnsafeSlow(length);
  };
  try {
    uncleared(2 ** 16 - 1);
    uncleared(2 ** 16);
    assert.equal(asked, [2 ** 16]);
    Object.assign(globalThis, { Buffer: undefined });
    assert.equal(uncleared(2 ** 16), new Uint8Array(2 ** 16));
  } finally {
    Object.assign(globalThis, { Buffer: buffers });
    Buffer.allocUnsafeSlow = allocUnsafeSlow;
  }
});

test('grows as far as is paid for, never beyond what is needed, and keeps its bytes', () => {
  const three = Uint8Array.of(1, 2, 3);
  assert.is(withRoom(three, 3, 10, 8), three);
  assert.is(withRoom(three, 4, 10, 8).length, 8);
  assert.is(withRoom(three, 4, 6, 8).length, 6);
  assert.is(withRoom(three, 9, 10, 8).length, 9);
  assert.equal(withRoom(three, 4, 10, 8).subarray(0, 3), three);
});

test.run();
