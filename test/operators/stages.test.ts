import { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { concat, from, lastValueFrom, Observable, Subject, take, tap, throwError, toArray } from 'rxjs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fromReadableStream } from '../../operators/fromReadableStream.js';
import type { Scheduler } from '../../operators/latestRun.js';
import { latestOperator, stageOperator } from '../../operators/stageOperator.js';
import { LatestStream, StageStream } from '../../operators/stageStream.js';
import { type LatestStage, NOTHING, type Stage } from '../../src/stage.js';
import { rejects } from '../helpers/assertions.js';
import { collect, streamOf, tick, until } from '../helpers/streams.js';

/** Gives each number n times, and counts what happened to it. */
class Repeat implements Stage<number, number> {
  made = 0;
  closes = 0;
  *push(n: number) {
    if (n < 0) throw new Error('negative');
    for (let i = 0; i < n; i++) {
      this.made += 1;
      yield n;
    }
  }
  *flush() {
    this.made += 1;
    yield 0;
  }
  close() {
    this.closes += 1;
  }
}

/** The same, asynchronously. */
class SlowRepeat extends Repeat implements Stage<number, number> {
  // @ts-expect-error the outputs are asynchronous here
  override async *push(n: number) {
    for (const value of super.push(n)) {
      await Promise.resolve();
      yield value;
    }
  }
}

const expected = [1, 3, 3, 3, 2, 2, 0];

const test = suite('stages: both faces');

for (const [name, Kind] of [
  ['synchronous', Repeat],
  ['asynchronous', SlowRepeat],
] as const) {
  test(`${name}: stream and operator give the same, and close once`, async () => {
    const a = new Kind();
    assert.equal(await collect(streamOf(1, 3, 2).pipeThrough(new StageStream(() => a))), expected);
    const b = new Kind();
    assert.equal(
      await lastValueFrom(
        from([1, 3, 2]).pipe(
          stageOperator(async () => b),
          toArray(),
        ),
      ),
      expected,
    );
    assert.equal([a.closes, b.closes], [1, 1]);
  });
}

/** Hands numbers on up to the first that is large enough. */
class UpTo implements Stage<number, number> {
  done = false;
  closes = 0;
  readonly #enough: number;
  constructor(enough: number) {
    this.#enough = enough;
  }
  push(n: number) {
    this.done = n >= this.#enough;
    return [n];
  }
  flush() {
    return NOTHING;
  }
  close() {
    this.closes += 1;
  }
}

test('a stage that is done ends both sides, and the source', async () => {
  let cancelled = false;
  let next = 0;
  const source = new ReadableStream<number>(
    {
      pull: (controller) => controller.enqueue(next++),
      cancel: () => {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const stage = new UpTo(3);
  assert.equal(await collect(source.pipeThrough(new StageStream(() => stage))), [0, 1, 2, 3]);
  await tick();
  assert.equal([cancelled, stage.closes], [true, 1]);

  const values = new Subject<number>();
  const seen: unknown[] = [];
  const other = new UpTo(3);
  values.pipe(stageOperator(() => other)).subscribe({
    next: (n) => seen.push(n),
    complete: () => seen.push('complete'),
  });
  for (const n of [1, 3, 4]) values.next(n);
  assert.equal(seen, [1, 3, 'complete']);
  assert.equal([values.observed, other.closes], [false, 1]);
});

test('stream: outputs are made only as the reader asks', async () => {
  const stage = new Repeat();
  const reader = streamOf(1000, 1000)
    .pipeThrough(new StageStream(() => stage))
    .getReader();
  for (let i = 0; i < 5; i++) await reader.read();
  await tick();
  assert.ok(stage.made <= 7, `made ${stage.made}`);
  await reader.cancel();
});

test('stream: cancelling reaches the source and closes the stage', async () => {
  const stage = new Repeat();
  let reason: unknown;
  const source = new ReadableStream<number>({
    pull: (controller) => controller.enqueue(5),
    cancel: (why) => {
      reason = why;
    },
  });
  const reader = source.pipeThrough(new StageStream(() => stage)).getReader();
  await reader.read();
  await reader.cancel('enough');
  await tick();
  assert.is(reason, 'enough');
  assert.is(stage.closes, 1);
});

test('stream: an abort ends a write that waits for a reader', async () => {
  const stage = new Repeat();
  const stream = new StageStream(() => stage);
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  const writing = writer.write(3);
  assert.is((await reader.read()).value, 3);
  await tick();
  await writer.abort(new Error('stop'));
  await writing;
  await rejects(reader.read(), Error, /stop/);
  assert.is(stage.closes, 1);
});

test('pipes that share a signal: all of them end, and the source is cancelled, though an abort fails what is under way', async () => {
  const abort = new AbortController();
  let reason: unknown;
  const source = new ReadableStream<number>({
    pull: (controller) => controller.enqueue(1),
    cancel: (given) => {
      reason = given;
    },
  });
  let fail!: (error: Error) => void;
  /** Waits for what ends by an error when it is closed, as a task of a worker does. */
  const waiting = new StageStream<number, number>(() => ({
    async *push(n) {
      yield n;
      await new Promise((_, reject) => {
        fail = reject;
      });
    },
    flush: () => NOTHING,
    close: () => fail(new Error('closed')),
  }));
  const passing = new StageStream<number, number>(() => ({ push: (n) => [n], flush: () => NOTHING }));
  const { signal } = abort;
  const end = source
    .pipeThrough(passing, { signal })
    .pipeThrough(waiting, { signal })
    .pipeTo(new WritableStream(), { signal });
  await tick();
  abort.abort(new Error('stop'));
  await rejects(end, Error, /stop/);
  await until(() => reason !== undefined && !source.locked);
  assert.ok(reason instanceof Error);
  assert.is(source.locked, false);
});

test('stream: no input is taken before a reader asks', async () => {
  const stage = new Repeat();
  let pulled = 0;
  const source = new ReadableStream<number>(
    {
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(0);
      },
    },
    { highWaterMark: 0 },
  );
  const stream = source.pipeThrough(new StageStream(() => stage));
  await tick();
  assert.is(pulled, 1, 'one waits in the queue');
  await stream.cancel();
  assert.is(stage.closes, 0, 'never made');
});

test('stream: an error of the stage errors both sides and cancels the source', async () => {
  let cancelled = false;
  const source = new ReadableStream<number>({
    pull: (controller) => controller.enqueue(-1),
    cancel: () => {
      cancelled = true;
    },
  });
  const stage = new Repeat();
  await rejects(collect(source.pipeThrough(new StageStream(() => stage))), Error, /negative/);
  await tick();
  assert.ok(cancelled);
  assert.is(stage.closes, 1);
});

test('stream: a factory that fails errors the stream', async () => {
  const broken = new StageStream<number, number>(() => Promise.reject(new Error('no codec')));
  await rejects(collect(streamOf(1).pipeThrough(broken)), Error, /no codec/);
});

test('stream: Duplex.fromWeb and stream.pipeline', async () => {
  const out: number[] = [];
  await pipeline(
    Readable.from([1, 3, 2]),
    Duplex.fromWeb(new StageStream(() => new Repeat()) as never, { objectMode: true }),
    async (values: AsyncIterable<number>) => {
      for await (const value of values) out.push(value);
    },
  );
  assert.equal(out, expected);
});

test('operator: a hot source is not missed while the stage loads', async () => {
  const source = new Subject<number>();
  const all = lastValueFrom(
    source.pipe(
      stageOperator(() => tick().then(() => new Repeat())),
      toArray(),
    ),
  );
  for (const value of [1, 3, 2]) source.next(value);
  source.complete();
  assert.equal(await all, expected);
});

test('operator: unsubscribing, also while the stage loads, closes it and unsubscribes the source', async () => {
  const stage = new Repeat();
  let open = 0;
  const source = new Observable<number>(() => {
    open += 1;
    return () => {
      open -= 1;
    };
  });
  const subscription = source.pipe(stageOperator(() => stage)).subscribe();
  assert.is(open, 1);
  subscription.unsubscribe();
  assert.equal([open, stage.closes], [0, 0], 'never made, nothing to close');
  const late = from([1])
    .pipe(stageOperator(() => tick().then(() => stage)))
    .subscribe();
  late.unsubscribe();
  await tick();
  await tick();
  assert.is(stage.closes, 1);
});

test('operator: any number of values may wait', async () => {
  const many = 100_000;
  for (const stage of [new Repeat(), new SlowRepeat()]) {
    const values = from(Array.from({ length: many }, () => 1));
    const all = await lastValueFrom(
      values.pipe(
        stageOperator(() => tick().then(() => stage)),
        toArray(),
      ),
    );
    assert.is(all.length, many + 1);
  }
});

test('operator: a source that gives all at once stops when nobody listens any more', async () => {
  let given = 0;
  const source = new Observable<number>((subscriber) => {
    while (!subscriber.closed && given < 1000) {
      given += 1;
      subscriber.next(1);
    }
  });
  const stage = new Repeat();
  const first = await lastValueFrom(
    source.pipe(
      stageOperator(() => stage),
      take(3),
      toArray(),
    ),
  );
  assert.equal([first, given, stage.closes], [[1, 1, 1], 4, 1]);
});

test('operator: what came before an error of the source comes first', async () => {
  const failing = concat(
    from([1, 3, 2]),
    throwError(() => new Error('gone')),
  );
  for (const stage of [new Repeat(), new SlowRepeat()]) {
    const seen: unknown[] = [];
    const run = failing.pipe(
      stageOperator(() => tick().then(() => stage)),
      tap((n) => seen.push(n)),
    );
    await rejects(lastValueFrom(run), Error, /gone/);
    assert.equal(seen, [1, 3, 3, 3, 2, 2], 'no flush: the end is missing');
    assert.is(stage.closes, 1);
  }
  const { scheduler } = stoppedClock();
  for (const slow of [false, true]) {
    const seen: unknown[] = [];
    const run = failing.pipe(
      latestOperator(() => new Sum(slow), scheduler),
      tap(({ sum }) => seen.push(sum)),
    );
    await rejects(lastValueFrom(run), Error, /gone/);
    assert.is(seen.at(-1), 6);
  }
});

test('operator: an error of the stage unsubscribes the source', () => {
  const stage = new Repeat();
  let message = '';
  const source = new Subject<number>();
  source.pipe(stageOperator(() => stage)).subscribe({
    error: (error: Error) => {
      message = error.message;
    },
  });
  source.next(-1);
  assert.is(message, 'negative');
  assert.not(source.observed);
  assert.is(stage.closes, 1);
});

/** The sum of all numbers so far: at most one each 10 ms, and made elsewhere if it is slow. */
class Sum implements LatestStage<number, { sum: number }> {
  changed = false;
  closes = 0;
  readonly #slow: boolean;
  #sum = 0;
  #takenAt = Number.NEGATIVE_INFINITY;
  constructor(slow: boolean) {
    this.#slow = slow;
  }
  add(n: number) {
    if (n < 0) throw new Error('negative');
    this.#sum += n;
    this.changed = true;
  }
  delay(now: number) {
    return this.changed ? Math.max(0, this.#takenAt + 10 - now) : Number.POSITIVE_INFINITY;
  }
  take(now: number) {
    if (this.#sum > 1000) throw new Error('too large');
    this.changed = false;
    this.#takenAt = now;
    const output = { sum: this.#sum };
    return this.#slow ? Promise.resolve(output) : output;
  }
  close() {
    this.closes += 1;
  }
}

/** A clock that stands still until it is put forward. */
function stoppedClock() {
  const clock = { now: 0, tasks: [] as { at: number; work: () => void }[] };
  const scheduler: Scheduler = {
    now: () => clock.now,
    schedule(work, delay = 0) {
      const task = { at: clock.now + delay, work };
      clock.tasks.push(task);
      return { unsubscribe: () => clock.tasks.splice(clock.tasks.indexOf(task), 1) };
    },
  };
  const forward = (now: number) => {
    clock.now = now;
    for (const task of clock.tasks.splice(0)) {
      if (task.at <= now) task.work();
      else clock.tasks.push(task);
    }
  };
  return { clock, scheduler, forward };
}

for (const slow of [false, true]) {
  const kind = slow ? 'made elsewhere' : 'made at once';

  test(`latest state, ${kind}: a stream gives it when it is read and due`, async () => {
    const { clock, scheduler, forward } = stoppedClock();
    const stage = new Sum(slow);
    const stream = new LatestStream(() => stage, scheduler);
    const writer = stream.writable.getWriter();
    const reader = stream.readable.getReader();
    for (const n of [1, 2, 3]) await writer.write(n);
    assert.equal((await reader.read()).value, { sum: 6 }, 'all that came before it was read');
    const second = reader.read();
    await writer.write(4);
    await writer.write(5);
    assert.is(clock.tasks.length, 1);
    forward(10);
    assert.equal((await second).value, { sum: 15 });
    const third = reader.read();
    await writer.write(6);
    await writer.close();
    assert.equal((await third).value, { sum: 21 }, 'the last one does not wait');
    assert.ok((await reader.read()).done);
    assert.equal([stage.closes, clock.tasks.length], [1, 0]);
  });

  test(`latest state, ${kind}: a subscriber gets each that is due`, async () => {
    const { clock, scheduler, forward } = stoppedClock();
    const stage = new Sum(slow);
    const values = new Subject<number>();
    const seen: unknown[] = [];
    values.pipe(latestOperator(() => stage, scheduler)).subscribe({
      next: ({ sum }) => seen.push(sum),
      complete: () => seen.push('complete'),
    });
    values.next(1);
    await tick();
    values.next(2);
    values.next(3);
    await tick();
    assert.equal(seen, [1]);
    forward(10);
    await tick();
    assert.equal(seen, [1, 6]);
    values.next(4);
    values.complete();
    await tick();
    assert.equal(seen, [1, 6, 10, 'complete']);
    assert.equal([stage.closes, clock.tasks.length], [1, 0]);
  });

  test(`latest state, ${kind}: what fails, fails both sides and closes the stage`, async () => {
    for (const bad of [-1, 1001]) {
      const stages = [new Sum(slow), new Sum(slow)] as const;
      const stream = streamOf(1, bad).pipeThrough(new LatestStream(() => stages[0]));
      await rejects(collect(stream), Error, /negative|too large/);
      const values = new Subject<number>();
      const failed = rejects(
        lastValueFrom(values.pipe(latestOperator(() => stages[1]))),
        Error,
        /negative|too large/,
      );
      values.next(bad);
      await failed;
      assert.not(values.observed);
      assert.equal([stages[0].closes, stages[1].closes], [1, 1]);
    }
  });
}

test('latest state: cancelled before its stage is made, the stage is closed', async () => {
  const stages = [new Sum(false), new Sum(false)] as const;
  const late = (stage: Sum) => () => tick().then(() => stage);
  from([1])
    .pipe(latestOperator(late(stages[0])))
    .subscribe()
    .unsubscribe();
  const read = streamOf(1)
    .pipeThrough(new LatestStream(late(stages[1])))
    .getReader();
  await tick(1);
  await read.cancel();
  await tick(10);
  assert.equal([stages[0].closes, stages[1].closes], [1, 1]);
});

test('fromReadableStream: unsubscribing cancels a stalled stream', async () => {
  let cancelled = false;
  const stalled = new ReadableStream<Uint8Array>({
    pull: () => new Promise(() => {}),
    cancel: () => {
      cancelled = true;
    },
  });
  const subscription = fromReadableStream(stalled).subscribe();
  await tick();
  subscription.unsubscribe();
  await tick();
  assert.ok(cancelled);
  assert.not(stalled.locked);
});

test('fromReadableStream: gives all, completes, passes errors on', async () => {
  assert.equal(await lastValueFrom(fromReadableStream(streamOf(1, 2, 3)).pipe(toArray())), [1, 2, 3]);
  const broken = new ReadableStream({ start: (controller) => controller.error(new Error('gone')) });
  await rejects(lastValueFrom(fromReadableStream(broken)), Error, /gone/);
});

test.run();
