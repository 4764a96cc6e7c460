import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Queue } from '../../../src/async/queue.js';

const test = suite('Queue');

test('values come out in the order in which they came in, but for those that were deleted', () => {
  const step = fc.oneof(
    fc.record({ add: fc.nat(20) }),
    fc.record({ delete: fc.nat(20) }),
    fc.constant('take' as const),
    fc.constant('all' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new Queue<number>();
      let expected: number[] = [];
      for (const one of steps) {
        if (one === 'take') assert.is(queue.take(), expected.shift());
        else if (one === 'all') assert.equal(queue.takeAll(), expected.splice(0));
        else if ('add' in one) {
          if (!expected.includes(one.add)) expected.push(one.add);
          queue.add(one.add);
        } else {
          expected = expected.filter((value) => value !== one.delete);
          queue.delete(one.delete);
        }
        assert.is(queue.size, expected.length);
      }
    }),
  );
});

test('half a million values pass, while others wait', () => {
  const queue = new Queue<number>();
  for (let i = 0; i < 300_000; i++) queue.add(i);
  for (let i = 0; i < 200_000; i++) {
    assert.is(queue.take(), i);
    queue.add(300_000 + i);
  }
  assert.is(queue.take(), 200_000);
  assert.is(queue.size, 299_999);
});

test.run();
