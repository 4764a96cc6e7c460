import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Rooms } from '../../../src/bytes/rooms.js';

const SIZE = 2 ** 20;
const HALF = SIZE / 2;

function countedRooms() {
  const made: number[] = [];
  const rooms = new Rooms(SIZE, (byteLength) => {
    made.push(byteLength);
    return new SharedArrayBuffer(byteLength);
  });
  return { rooms, made };
}

test('arrays of all sizes take turns in as many rooms as are used together', () => {
  const { rooms, made } = countedRooms();
  for (const size of [HALF, SIZE, HALF + 1, 2 ** 16, SIZE - 1]) {
    const taken = [rooms.take(size), rooms.take(SIZE - size)];
    assert.equal(
      taken.map(({ length }) => length),
      [size, SIZE - size],
    );
    for (const { buffer } of taken) rooms.give(buffer);
  }
  assert.equal(made, [SIZE, SIZE]);
});

test('an array has the room that has been used the least of those that were used as far as it needs', () => {
  const { rooms } = countedRooms();
  const [large, small, other] = [rooms.take(SIZE), rooms.take(HALF), rooms.take(2 ** 17)];
  for (const { buffer } of [small, large, other]) rooms.give(buffer);
  assert.is(rooms.take(HALF - 5).buffer, small.buffer);
  // None has been used so far but the largest.
  assert.is(rooms.take(HALF - 5).buffer, large.buffer);
  assert.is(rooms.take(HALF).buffer, other.buffer);
});

test('what is larger than a room has memory of its own, and what is small, too', () => {
  const { rooms, made } = countedRooms();
  rooms.give(rooms.take(SIZE).buffer);
  assert.is(rooms.take(2 * SIZE).length, 2 * SIZE);
  assert.equal(made, [SIZE, 2 * SIZE]);
  assert.not.instance(rooms.take(100).buffer, SharedArrayBuffer);
});

test('of memory that is larger than a room, smaller one is not kept beside it', () => {
  const rooms = new Rooms(SIZE, (byteLength) => new ArrayBuffer(byteLength));
  const [room, ...exceptions] = [1, 2, 3, 4].map((factor) => {
    const { buffer } = rooms.take(factor * SIZE);
    rooms.give(buffer);
    return buffer;
  });
  assert.equal(
    exceptions.map(({ byteLength }) => byteLength),
    [0, 0, 4 * SIZE],
  );
  assert.is(rooms.take(SIZE).buffer, room);
  assert.is(rooms.take(3 * SIZE).buffer, exceptions[2]);
});

test.run();
