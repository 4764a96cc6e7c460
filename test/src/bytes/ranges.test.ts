import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { coalesceRanges } from '../../../src/bytes/ranges.js';
import { ArgumentError } from '../../../src/errors.js';
import { throws } from '../../helpers/assertions.js';

const test = suite('coalesceRanges');

const range = (start: number, end: number) => ({ start, end });

test('joins what touches, overlaps or is close, in order of place', () => {
  const ranges = [range(50, 60), range(0, 10), range(10, 20), range(25, 30), range(26, 28), range(5, 5)];
  assert.equal(coalesceRanges(ranges), [
    { start: 0, end: 20, parts: [1, 2] },
    { start: 25, end: 30, parts: [3, 4] },
    { start: 50, end: 60, parts: [0] },
  ]);
  assert.equal(coalesceRanges(ranges, { maxGap: 5 }), [
    { start: 0, end: 30, parts: [1, 2, 3, 4] },
    { start: 50, end: 60, parts: [0] },
  ]);
  assert.equal(
    coalesceRanges(ranges, { maxGap: 20, maxLength: 30 }).map(({ start, end }) => [start, end]),
    [
      [0, 30],
      [50, 60],
    ],
  );
  assert.equal(coalesceRanges([]), []);
  throws(() => coalesceRanges([range(2, 1)]), ArgumentError, /ends before/);
  throws(() => coalesceRanges([range(Number.NaN, 1)]), ArgumentError);
});

const ranges = fc.array(
  fc.tuple(fc.nat(200), fc.nat(30)).map(([start, length]) => range(start, start + length)),
  { maxLength: 20 },
);

test('property: every byte wanted is in exactly one request, and no join was missed', () => {
  fc.assert(
    fc.property(ranges, fc.nat(20), fc.integer({ min: 1, max: 100 }), (wanted, maxGap, maxLength) => {
      const planned = coalesceRanges(wanted, { maxGap, maxLength });
      const parts = planned.flatMap((request) => request.parts);
      assert.is(new Set(parts).size, parts.length);
      assert.is(parts.length, wanted.filter(({ start, end }) => end > start).length);
      const covered = new Set<number>();
      for (const { start, end } of wanted) for (let at = start; at < end; at++) covered.add(at);
      for (const [i, { start, end, parts: inside }] of planned.entries()) {
        const members = inside.map((index) => wanted[index]!);
        assert.is(Math.min(...members.map((member) => member.start)), start);
        assert.is(Math.max(...members.map((member) => member.end)), end);
        let gap = 0;
        for (let at = start; at < end; at++) {
          gap = covered.has(at) ? 0 : gap + 1;
          assert.ok(gap <= maxGap);
        }
        const next = planned[i + 1];
        if (next === undefined) continue;
        assert.ok(next.start >= end, 'requests do not overlap');
        const first = wanted[next.parts[0]!]!;
        assert.ok(
          next.start - end > maxGap || first.end - start > maxLength,
          'the next could have been joined',
        );
      }
    }),
    { numRuns: 500 },
  );
});

test.run();
