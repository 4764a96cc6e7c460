import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel } from '../../models/openModel.js';
import { MAX_DELAY, startTimer, startWatchdog } from '../../platform/timer.js';
import { httpSource, type SourceEvent } from '../../sources/index.js';
import { ArgumentError } from '../../src/errors.js';
import { WorkerPool } from '../../workers/pool.js';
import { rejects, throws } from '../helpers/assertions.js';
import { faultyServer } from '../helpers/faultyServer.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { tick } from '../helpers/streams.js';
import { TRAINED_FILES } from '../helpers/trained.js';

const test = suite('timers');

const url = new URL('../helpers/workerFromSource.mjs', import.meta.url);

/** Delays that a timer of the engine takes for "at once". */
const LONG = [MAX_DELAY + 1, 1e300, Number.POSITIVE_INFINITY];

/** Collects the engine's timers instead of running them. */
function captured(run: (timers: { ms: number; fire: () => void }[]) => void): void {
  const { setTimeout } = globalThis;
  const timers: { ms: number; fire: () => void }[] = [];
  globalThis.setTimeout = ((fire: () => void, ms: number) => {
    timers.push({ ms, fire });
    return timers.length;
  }) as unknown as typeof setTimeout;
  try {
    run(timers);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
}

test('a long delay is waited for in steps, each of which an engine can keep', () => {
  captured((timers) => {
    let calls = 0;
    startTimer(2 * MAX_DELAY + 5, () => {
      calls += 1;
    });
    for (let i = 0; i < timers.length; i++) timers[i]!.fire();
    assert.equal(
      timers.map(({ ms }) => ms),
      [MAX_DELAY, MAX_DELAY, 5],
    );
    assert.is(calls, 1);
  });
});

test('a watchdog lets events in once more before it fires, and can be stopped in both of its steps', () => {
  captured((timers) => {
    const cleared: unknown[] = [];
    const { clearTimeout } = globalThis;
    globalThis.clearTimeout = (timer) => void cleared.push(timer);
    try {
      let calls = 0;
      const stop = startWatchdog(1000, () => {
        calls += 1;
      });
      stop();
      timers[0]!.fire();
      stop();
      assert.equal(cleared, [1, 2]);
      assert.is(calls, 0);
      timers[1]!.fire();
      assert.is(calls, 1);
      assert.equal(
        timers.map(({ ms }) => ms),
        [500, 500],
      );
    } finally {
      globalThis.clearTimeout = clearTimeout;
    }
  });
});

test('Infinity is never, a delay in the past is now, and a stopped timer does not fire', async () => {
  const calls: number[] = [];
  captured((timers) => {
    startTimer(Number.POSITIVE_INFINITY, () => calls.push(0));
    assert.is(timers.length, 0);
  });
  startTimer(-5, () => calls.push(1));
  startTimer(0, () => calls.push(2))();
  for (const ms of LONG) startTimer(ms, () => calls.push(3))();
  await tick(20);
  assert.equal(calls, [1]);
});

test('what is not a number of milliseconds is refused', () => {
  for (const ms of [Number.NaN, '5', undefined, null] as number[]) {
    throws(
      () => startTimer(ms, () => {}),
      ArgumentError,
      /^Cannot use this value of delay: expected a number of milliseconds/,
    );
    if (ms !== undefined) {
      throws(() => httpSource('https://example.org', { idleTimeout: ms }), ArgumentError, /idleTimeout/);
    }
  }
});

test('long values of every option that is a time do not fire at once', async () => {
  const file = await modelFileOf(TRAINED_FILES.layers);
  await using server = await faultyServer(file);
  // Each response comes later than a timer that fires at once would.
  const slow: typeof fetch = async (...request) => {
    await tick(20);
    return fetch(...request);
  };
  for (const ms of LONG) {
    await using model = await openModel(server.url, { http: { fetch: slow, retry: false, idleTimeout: ms } });
    const loaded = await model.load({ deadline: ms });
    assert.is(loaded.size, model.tensors.length, `deadline: ${ms}`);
    const ended = model.load({ deadline: ms, signal: AbortSignal.abort(new Error('enough')) });
    await rejects(ended, Error, /enough/);

    const pool = new WorkerPool(1, { url, startTimeout: ms });
    const inWorkers = await model.load({ deadline: ms, workers: pool });
    assert.is(inWorkers.size, model.tensors.length, `startTimeout: ${ms}`);
    pool.close();
  }
});

test('a Retry-After of years is waited for where the caller allows it', async () => {
  await using server = await faultyServer(new Uint8Array(10));
  server.fault = () => ({ status: 503, headers: { 'retry-after': String(MAX_DELAY) } });
  const events: SourceEvent[] = [];
  const abort = new AbortController();
  const source = httpSource(server.url, {
    retry: { maxDelay: Number.POSITIVE_INFINITY },
    onEvent: (event) => events.push(event),
  });
  const reading = rejects(source.read(0, 1, { signal: abort.signal }), Error, /enough/);
  while (!events.some(({ type }) => type === 'retry')) await tick(5);
  await tick(50);
  abort.abort(new Error('enough'));
  await reading;
  assert.is(server.requests.length, 1);
});

test.run();
