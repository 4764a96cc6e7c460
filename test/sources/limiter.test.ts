import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createLimiter } from '../../sources/index.js';
import { ArgumentError } from '../../src/errors.js';
import { rejects, throws } from '../helpers/assertions.js';
import { tick } from '../helpers/streams.js';

const test = suite('createLimiter');

test('lets the given number through, the others in order', async () => {
  const limiter = createLimiter(2);
  const entered: number[] = [];
  const releases: (() => void)[] = [];
  const enter = async (i: number) => {
    releases[i] = await limiter.acquire();
    entered.push(i);
  };
  const all = [0, 1, 2, 3, 4].map(enter);
  await tick();
  assert.equal(entered, [0, 1]);
  releases[1]!();
  releases[1]!();
  await tick();
  assert.equal(entered, [0, 1, 2], 'a place is given back once');
  releases[0]!();
  releases[2]!();
  await Promise.all(all);
  assert.equal(entered, [0, 1, 2, 3, 4]);
});

test('whoever aborts leaves the queue', async () => {
  const limiter = createLimiter(1);
  const release = await limiter.acquire();
  const abort = new AbortController();
  const second = limiter.acquire(abort.signal);
  const third = limiter.acquire();
  abort.abort(new Error('enough'));
  await rejects(second, Error, /enough/);
  release();
  (await third)();
  (await limiter.acquire())();
  await rejects(limiter.acquire(AbortSignal.abort(new Error('late'))), Error, /late/);
});

test('needs at least one place', () => {
  for (const places of [0, -1, 1.5, Number.NaN]) throws(() => createLimiter(places), ArgumentError, /places/);
});

test.run();
