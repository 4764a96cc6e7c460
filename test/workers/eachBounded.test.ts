import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eachBounded } from '../../workers/eachBounded.js';
import { rejects } from '../helpers/assertions.js';
import { tick } from '../helpers/streams.js';

async function* count(to: number, pulled: number[] = []): AsyncIterable<number> {
  for (let i = 0; i < to; i++) {
    pulled.push(i);
    yield i;
  }
}

test('keeps as many under way as it may, and no more', async () => {
  let now = 0;
  let most = 0;
  const done: number[] = [];
  await eachBounded(count(20), 3, async (i) => {
    now += 1;
    most = Math.max(most, now);
    await tick(1);
    now -= 1;
    done.push(i);
  });
  assert.is(most, 3);
  assert.equal(
    done,
    Array.from({ length: 20 }, (_, i) => i),
  );
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
  await eachBounded(count(12), bound, work);
  const sums = seen.map((items) => items.reduce((sum, i) => sum + weights[i]!, 0));
  assert.ok(seen.every((items, i) => items.length === 1 || (items.length <= 4 && sums[i]! <= 6)));
  assert.ok(seen.some((items) => items.length === 4) && seen.some((_, i) => sums[i] === 9));
  assert.is(seen.length, 12);
});

test('stops at the first failure and tells the others', async () => {
  const pulled: number[] = [];
  let told = false;
  const work = async (i: number, signal: AbortSignal) => {
    if (i === 1) throw new RangeError('one');
    await tick(5);
    told ||= signal.aborted;
  };
  await rejects(eachBounded(count(20, pulled), 2, work), RangeError, /one/);
  assert.ok(told);
  assert.ok(pulled.length < 5);
});

test('an abort ends what is under way and begins nothing more', async () => {
  const pulled: number[] = [];
  const abort = new AbortController();
  const ends: unknown[] = [];
  const work = async (_: number, signal: AbortSignal) => {
    if (pulled.length === 4) abort.abort(new RangeError('enough'));
    await tick(5);
    if (signal.aborted) ends.push(signal.reason);
    signal.throwIfAborted();
  };
  await rejects(eachBounded(count(20, pulled), 2, work, abort.signal), RangeError, /enough/);
  assert.is(ends.length, 2);
  assert.is(pulled.length, 4);
  await rejects(eachBounded(count(20, pulled), 2, work, abort.signal), RangeError, /enough/);
  assert.is(pulled.length, 4, 'nothing is begun with a signal that has been aborted');
});

test('a source that fails fails the whole, after what was under way', async () => {
  let done = 0;
  async function* failing() {
    yield 1;
    throw new RangeError('source');
  }
  const work = async () => {
    await tick(5);
    done += 1;
  };
  await rejects(eachBounded(failing(), 2, work), RangeError, /source/);
  assert.is(done, 1);
});

test.run();
