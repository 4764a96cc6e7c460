import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inOrder } from '../../workers/inOrder.js';
import { rejects } from '../helpers/assertions.js';
import { tick } from '../helpers/streams.js';

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
}

const items = Array.from({ length: 12 }, (_, i) => i);

test('gives the results in order, and keeps as many under way as it may', async () => {
  let now = 0;
  let most = 0;
  const results = await collect(
    inOrder(items, 3, async (i) => {
      now += 1;
      most = Math.max(most, now);
      await tick(i % 3 === 0 ? 6 : 1);
      now -= 1;
      return 10 * i;
    }),
  );
  assert.equal(
    results,
    items.map((i) => 10 * i),
  );
  assert.is(most, 3);
});

test('begins what weighs no more together than it may, and one item whatever it weighs', async () => {
  const weights = [9, 1, 2, 3, 3, 7, 1, 1, 1, 1, 1, 1];
  let now: number[] = [];
  const seen: number[][] = [];
  const bound = { items: 4, weight: { most: 6, of: (i: number) => weights[i]! } };
  const work = async (i: number) => {
    now.push(i);
    seen.push([...now]);
    await tick(1 + (i % 3));
    now = now.filter((other) => other !== i);
  };
  await collect(inOrder(items, bound, work));
  const sums = seen.map((items) => items.reduce((sum, i) => sum + weights[i]!, 0));
  assert.ok(seen.every((items, i) => items.length === 1 || (items.length <= 4 && sums[i]! <= 6)));
  assert.ok(seen.some((items) => items.length === 4) && seen.some((_, i) => sums[i] === 9));
  assert.is(seen.length, 12);
});

test('a failure comes in its turn, starts nothing more and ends the rest', async () => {
  const begun: number[] = [];
  const given: number[] = [];
  let told = 0;
  const work = async (i: number, signal: AbortSignal) => {
    begun.push(i);
    if (i === 2) throw new RangeError('two');
    await tick(3);
    if (signal.aborted) told += 1;
    return i;
  };
  const run = async () => {
    for await (const result of inOrder(items, 3, work)) given.push(result);
  };
  await rejects(run(), RangeError, /two/);
  assert.equal(given, [0, 1]);
  assert.ok(begun.length <= 5);
  const before = told;
  await tick(10);
  assert.is(told, before, 'all had ended');
});

test('whoever stops reading, and a signal, abort what is under way', async () => {
  const reasons: unknown[] = [];
  const work = async (i: number, signal: AbortSignal) => {
    signal.addEventListener('abort', () => reasons.push(signal.reason));
    await tick(i === 0 ? 0 : 4);
    signal.throwIfAborted();
    return i;
  };
  for await (const result of inOrder(items, 2, work)) if (result === 0) break;
  assert.is(reasons.length, 2);
  const aborter = new AbortController();
  const results = inOrder(items, 2, work, aborter.signal);
  await results.next();
  aborter.abort(new RangeError('enough'));
  await rejects(collect(results), RangeError, /enough/);
});

test.run();
