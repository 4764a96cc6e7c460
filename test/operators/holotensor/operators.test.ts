import { firstValueFrom, from, last, lastValueFrom, map, of, Subject, toArray } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fromReadableStream } from '../../../operators/fromReadableStream.js';
import { decodeFragments, reconstruct, takeUntilQuality } from '../../../operators/holotensor.js';
import { type Scheduler, TIMERS } from '../../../operators/latestRun.js';
import { ChecksumError } from '../../../src/errors.js';
import type { ReceivedFragment } from '../../../src/holotensor/fragment.js';
import type { Kernels } from '../../../src/kernels/kernels.js';
import { portableKernels as kernels } from '../../../src/kernels/portableKernels.js';
import { assertClose, rejects } from '../../helpers/assertions.js';
import { cosineSimilarity } from '../../helpers/encodings.js';
import { holoFile } from '../../helpers/holoFiles.js';
import { noise } from '../../helpers/random.js';
import { chunked, tick } from '../../helpers/streams.js';

const data = noise(40 * 50);
const file = holoFile('spectral', data, [40, 50]);
const all: ReceivedFragment[] = await lastValueFrom(
  fromReadableStream(chunked(file, 999)).pipe(decodeFragments(), toArray()),
);

for (const size of [1, 7, 4096, file.length]) {
  test(`the tensor gets better with every fragment, chunks of ${size}`, async () => {
    const reconstructions = fromReadableStream(chunked(file, size)).pipe(decodeFragments(), reconstruct());
    const seen = await lastValueFrom(
      reconstructions.pipe(
        map(({ data: values, quality, fragments, complete }) => {
          const cosine = cosineSimilarity(values as Float32Array, data);
          assert.ok(Math.abs(cosine - quality.cosine!) < 1e-4);
          return [fragments, complete] as const;
        }),
        toArray(),
      ),
    );
    // Fragments that arrive while the kernels load, or while one is computed, are reconstructed together.
    const counts = seen.map(([fragments]) => fragments);
    assert.equal(
      counts,
      [...new Set(counts)].sort((a, b) => a - b),
    );
    assert.equal(seen.at(-1), [8, true]);
    assert.not(seen.slice(0, -1).some(([, complete]) => complete));
  });
}

test('the last reconstruction: the whole tensor', async () => {
  const whole = await firstValueFrom(from(all).pipe(reconstruct({ emit: 'end' }), last()));
  assert.ok(whole.complete);
  assertClose(whole.data as Float32Array, data, 1e-6);
});

test('takeUntilQuality completes, unsubscribes, and fetches no further bytes', async () => {
  let pulled = 0;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        controller.enqueue(file.subarray(pulled, pulled + 64));
        pulled += 64;
      },
      cancel() {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const last = await lastValueFrom(
    fromReadableStream(stream).pipe(decodeFragments(), reconstruct(), takeUntilQuality(0.6)),
  );
  assert.ok(last.quality.cosine! >= 0.6);
  await tick();
  assert.ok(cancelled);
  const needed = 96 + 8 * 24 + last.fragments * (20 + 4 * 250);
  // What is under way when the quality is reached: a few chunks, while fragments are handed on asynchronously.
  assert.ok(pulled < needed + 6 * 64, `${pulled} pulled, ${needed} needed`);
});

/** Letters a to h are the fragments; what comes out is how many each reconstruction was made of. */
function withMarbles(
  source: string,
  options: Parameters<typeof reconstruct>[0],
  expected: string,
  sourceSubscription: string,
): void {
  const scheduler = new TestScheduler((actual, wanted) => assert.equal(actual, wanted));
  scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
    const letters = Object.fromEntries(all.map((fragment, i) => ['abcdefgh'[i]!, fragment]));
    const fragments$ = cold(source, letters);
    const result = fragments$.pipe(
      reconstruct({ kernels, scheduler, ...options }),
      map(({ fragments }) => String(fragments)),
    );
    expectObservable(result).toBe(expected);
    expectSubscriptions(fragments$.subscriptions).toBe(sourceSubscription);
  });
}

test('marbles: a reconstruction for every fragment, in any order, duplicates none', () => {
  withMarbles('a-b-(cd)-|', {}, '1-2-(34)-|', '^--------!');
  withMarbles('h-a-h-c-|', {}, '1-2---3-|', '^-------!');
});

test('marbles: only at the end', () => {
  withMarbles('a-b-(cd)-|', { emit: 'end' }, '---------(4|)', '^--------!');
});

test('marbles: at most every n ms, and what waits comes when it is time or at the end', () => {
  withMarbles('abc-------d--|', { emit: { everyMs: 5 } }, '1----3----4--|', '^------------!');
  withMarbles('abc-d|', { emit: { everyMs: 9 } }, '1----(4|)', '^----!');
});

test('marbles: when the quality has risen enough, and at the end', () => {
  // k of the 8 fragments are worth about √(k/8).
  withMarbles('abcdefgh|', { emit: { qualityStep: 0.32 } }, '1--4----(8|)', '^-------!');
});

test('marbles: nothing in, nothing out', () => {
  withMarbles('---|', {}, '---|', '^--!');
});

/** A clock that a kernel can put forward: reconstructions take as long as the test says. */
function slowKernels(took: number) {
  const clock = { now: 0, tasks: [] as (() => void)[] };
  const slow: Kernels = {
    ...kernels,
    idct2dSteps(...args) {
      clock.now += took;
      return kernels.idct2dSteps(...args);
    },
  };
  const scheduler = {
    now: () => clock.now,
    schedule(work: () => void) {
      clock.tasks.push(work);
      return { unsubscribe: () => {} };
    },
  };
  return { clock, options: { kernels: slow, scheduler: scheduler as never } };
}

test('fragments that come faster than they are reconstructed share a reconstruction', () => {
  const { clock, options } = slowKernels(50);
  const source = new Subject<ReceivedFragment>();
  const seen: number[] = [];
  source.pipe(reconstruct(options)).subscribe(({ fragments }) => seen.push(fragments));
  for (const fragment of all.slice(0, 5)) source.next(fragment);
  assert.equal(seen, [1], 'the first at once');
  assert.is(clock.tasks.length, 1, 'one task for all the others');
  clock.tasks.shift()!();
  assert.equal(seen, [1, 5]);
  for (const fragment of all.slice(5)) source.next(fragment);
  source.complete();
  assert.equal(seen, [1, 5, 8], 'the last state does not wait');
});

test('fragments that are reconstructed quickly do not wait', () => {
  const { clock, options } = slowKernels(2);
  const seen: number[] = [];
  from(all)
    .pipe(reconstruct(options))
    .subscribe(({ fragments }) => seen.push(fragments));
  assert.equal(seen, [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.is(clock.tasks.length, 0);
});

test('a hot source is not missed while the kernels load', async () => {
  const source = new Subject<ReceivedFragment>();
  const last = lastValueFrom(source.pipe(reconstruct()));
  for (const fragment of all) source.next(fragment);
  source.complete();
  assert.is((await last).fragments, 8);
});

test('an error in the middle comes after the good fragments, and unsubscribes the source', async () => {
  const corrupt = file.slice();
  corrupt[file.length - 1]! ^= 1;
  const seen: number[] = [];
  const source = of(corrupt).pipe(decodeFragments(), reconstruct());
  const run = new Promise((_, reject) => {
    source.subscribe({ next: ({ fragments }) => seen.push(fragments), error: reject });
  });
  await rejects(run, ChecksumError, /fragment 7/);
  assert.is(seen.at(-1), 7);
});

test('everyMs beyond what timers can keep: no scheduler is asked for it, and only the end comes early', async () => {
  for (const everyMs of [2 ** 31, 1e300, Number.POSITIVE_INFINITY]) {
    const delays: number[] = [];
    const scheduler: Scheduler = {
      now: () => performance.now(),
      schedule(work, delay = 0) {
        delays.push(delay);
        return TIMERS.schedule(work, delay);
      },
    };
    const subject = new Subject<ReceivedFragment>();
    const seen: number[] = [];
    subject
      .pipe(reconstruct({ kernels, scheduler, emit: { everyMs } }))
      .subscribe(({ fragments }) => seen.push(fragments));
    for (const fragment of all) {
      subject.next(fragment);
      await tick(5);
    }
    assert.equal(seen, [1]);
    assert.is(new Set(delays).size, everyMs === Number.POSITIVE_INFINITY ? 0 : 1);
    assert.ok(delays.every((delay) => delay <= 2 ** 31 - 1));
    subject.complete();
    await tick();
    assert.equal(seen, [1, 8]);
  }
});

test('unsubscribing stops what waits', () => {
  const scheduler = new TestScheduler((actual, wanted) => assert.equal(actual, wanted));
  scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
    const fragments$ = cold('ab----', { a: all[0]!, b: all[1]! });
    const result = fragments$.pipe(
      reconstruct({ kernels, scheduler, emit: { everyMs: 4 } }),
      map(({ fragments }) => String(fragments)),
    );
    expectObservable(result, '^--!').toBe('1');
    expectSubscriptions(fragments$.subscriptions).toBe('^--!');
  });
});

test.run();
