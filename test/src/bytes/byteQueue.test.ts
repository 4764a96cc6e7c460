import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ByteQueue } from '../../../src/bytes/byteQueue.js';

const test = suite('ByteQueue');

test('any chunks in, any lengths out: the same bytes in the same order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 40 }),
      fc.array(fc.nat(30), { maxLength: 40 }),
      (chunks, lengths) => {
        const whole = Buffer.concat(chunks);
        const queue = new ByteQueue();
        let position = 0;
        const pending = [...chunks];
        for (const [i, length] of lengths.entries()) {
          while (queue.length < length && pending.length > 0) queue.push(pending.shift()!);
          if (i % 3 === 2) {
            position += queue.skip(length);
          } else {
            const taken = queue.take(length);
            assert.is(taken === undefined, position + length > whole.length);
            if (taken === undefined) continue;
            assert.equal(Buffer.from(taken), whole.subarray(position, position + length));
            position += length;
          }
          assert.is(queue.position, position);
        }
      },
    ),
  );
});

test('what lies within one chunk is a view, not a copy', () => {
  const chunk = new Uint8Array(100);
  const queue = new ByteQueue();
  queue.push(chunk);
  queue.skip(10);
  assert.is(queue.take(50)!.buffer, chunk.buffer);
});

test('a quarter of a million one-byte chunks cost linear time', () => {
  const queue = new ByteQueue();
  const one = new Uint8Array(1);
  for (let i = 0; i < 250_000; i++) queue.push(one);
  let taken = 0;
  while (queue.take(1)) taken += 1;
  assert.is(taken, 250_000);
});

test('one that reuses memory gives the same bytes, each time in the memory of the time before', () => {
  const queue = new ByteQueue(true);
  for (let i = 0; i < 12; i += 3) queue.push(Uint8Array.of(i, i + 1, i + 2));
  const first = queue.take(4)!;
  assert.equal(first, Uint8Array.of(0, 1, 2, 3));
  const second = queue.take(3)!;
  assert.equal(second, Uint8Array.of(4, 5, 6));
  assert.is(second.buffer, first.buffer);
  // Longer than all before.
  assert.equal(queue.take(5), Uint8Array.of(7, 8, 9, 10, 11));
});

test.run();
