import { execFile } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isShared } from '../../src/bytes/sharedMemory.js';
import { WorkerError } from '../../src/errors.js';
import type { RunOptions, Task } from '../../workers/task.js';
import { TaskPool } from '../../workers/taskPool.js';
import { rejects } from '../helpers/assertions.js';
import { isolated } from '../helpers/isolated.js';

const OBEDIENT = new URL('../helpers/obedientWorker.mjs', import.meta.url);

/** The one task of these workers: to do what their input says. */
type Obedience = { readonly obey: Task<unknown, unknown, unknown> };

async function withPool(size: number, work: (run: Run, pool: ObedientPool) => Promise<void>): Promise<void> {
  const pool: ObedientPool = new TaskPool(size, { url: OBEDIENT });
  try {
    await work((input, options) => pool.run('obey', input, options), pool);
  } finally {
    pool.close();
  }
}
type ObedientPool = TaskPool<Obedience>;
type Run = (input: unknown, options?: RunOptions) => Promise<unknown>;

test('answers come to the tasks they belong to', () =>
  withPool(2, async (run) => {
    const inputs = Array.from({ length: 50 }, (_, i) => ({ value: i }));
    assert.equal(await Promise.all(inputs.map((input) => run(input))), inputs);
  }));

test('buffers go to the worker instead of being copied', () =>
  withPool(1, async (run) => {
    const bytes = new Uint8Array(1000).fill(3);
    const back = await run({ bytes }, { transfer: [bytes.buffer] });
    assert.is(bytes.length, 0);
    assert.equal(back, { bytes: new Uint8Array(1000).fill(3) });
  }));

test('however many tasks hang on a signal, it gets one listener', () =>
  withPool(2, async (run) => {
    const { signal } = new AbortController();
    const tasks = Array.from({ length: 20 }, (_, i) => run({ value: i }, { signal }));
    assert.is(getEventListeners(signal, 'abort').length, 1);
    await Promise.all(tasks);
  }));

test('a worker that dies fails its tasks, and the next ones get a new worker', () =>
  withPool(1, async (run) => {
    const thrown = await rejects(run('throw'), WorkerError, /worker died/);
    assert.is((thrown.cause as Error).message, 'out of range');
    const [waiting, exited] = await Promise.allSettled([run({ value: 1 }), run('exit')]);
    assert.is(waiting.status, 'fulfilled');
    assert.match((exited as PromiseRejectedResult).reason.cause.message, /code 7/);
    assert.equal(await run({ value: 2 }), { value: 2 });
  }));

test('a worker that dies gives its inputs back', () =>
  withPool(1, async (_, pool) => {
    let done = 0;
    const prepare = () => ({ input: 'exit', done: () => (done += 1) });
    await rejects(pool.runPrepared('obey', prepare), WorkerError, /worker died/);
    assert.is(done, 1);
  }));

test('a script that is not there fails the tasks', async () => {
  const pool: ObedientPool = new TaskPool(1, { url: new URL('nothing.mjs', import.meta.url) });
  await rejects(pool.run('obey', {}), WorkerError, /worker did not start/);
  pool.close();
});

const script = (code: string) => new URL(`data:text/javascript,${encodeURIComponent(code)}`);

test('a script that says nothing, or something else, fails all tasks', async () => {
  const scripts = {
    'was not ready after 50 ms': 'setInterval(() => {}, 1000)',
    'not the one of this version': `
      const { parentPort } = process.getBuiltinModule('node:worker_threads');
      parentPort.on('message', () => parentPort.postMessage({ hello: 'world' }));
    `,
    'ended with code 0': '',
  };
  for (const [why, code] of Object.entries(scripts)) {
    const startTimeout = why.includes('50 ms') ? 50 : 30_000;
    const pool: ObedientPool = new TaskPool(1, { url: script(code), startTimeout });
    const tasks = [1, 2, 3, 4].map(() => pool.run('obey', {}));
    for (const outcome of await Promise.allSettled(tasks)) {
      const { reason } = outcome as PromiseRejectedResult;
      assert.instance(reason, WorkerError);
      assert.match(reason.message, 'worker did not start');
      assert.match(reason.cause.message, why);
    }
    pool.close();
  }
});

for (const shared of [true, false]) {
  test(`${shared ? 'shared' : 'transferred'} buffers are borrowed, when there is room, and used again`, () =>
    isolated(shared, () =>
      withPool(1, async (run, pool) => {
        let prepared = 0;
        let fresh = 0;
        const task = (i: number) =>
          pool.runPrepared('obey', (buffers) => {
            const bytes = buffers.take(100_000);
            assert.is(isShared(bytes.buffer), shared);
            prepared += 1;
            if (bytes[0] === 0) fresh += 1;
            bytes.fill(1);
            return { input: { keep: i }, borrowed: [bytes.buffer] };
          });
        const answers = Array.from({ length: 20 }, (_, i) => task(i));
        assert.is(prepared, pool.capacity);
        assert.equal(
          await Promise.all(answers),
          answers.map((_, i) => i),
        );
        assert.equal([prepared, fresh], [20, pool.capacity]);
        await run({ value: 1 });
      }),
    ));
}

test('input that cannot pass to another thread fails its task only', () =>
  withPool(1, async (run) => {
    await rejects(run({ f: () => 1 }), WorkerError, /input cannot be cloned/);
    assert.equal(await run({ value: 1 }), { value: 1 });
  }));

test('an aborted task is taken out of the line, or its worker told', () =>
  withPool(1, async (run) => {
    const reason = new RangeError('enough');
    const stop = () => {
      const controller = new AbortController();
      queueMicrotask(() => controller.abort(reason));
      return { signal: controller.signal };
    };
    const outcomes = await Promise.allSettled([
      run({ wait: 20 }, stop()),
      run({ wait: 20 }),
      run({ wait: 20 }, stop()),
      run({ wait: 20 }, { signal: AbortSignal.abort(reason) }),
    ]);
    assert.equal(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason)),
      [reason, 1, reason, reason],
    );
    assert.equal(await run('cancelled'), [0]);
  }));

test('the tasks of a session run in one worker, which is told when it ends', () =>
  withPool(2, async (run, pool) => {
    const open = () => {
      const session = pool.openSession();
      const ask = (input: unknown) => session.runPrepared('obey', () => ({ input }));
      return { close: () => session.close(), ask };
    };
    const [one, two] = [open(), open()];
    const seen: unknown[] = [];
    for (const { ask } of [one, two, one, two]) seen.push(await ask('thread'));
    assert.equal(seen.slice(0, 2), seen.slice(2));
    const [[thread, number], [otherThread]] = seen as [[number, number], [number]];
    assert.is.not(thread, otherThread);
    one.close();
    const three = open();
    const [again, , forgotten] = (await three.ask('thread')) as [number, number, number[]];
    assert.equal([again, forgotten], [thread, [number]]);
    await rejects(three.ask('exit'), WorkerError, /worker died/);
    await rejects(three.ask('thread'), WorkerError, /what it kept is lost/);
    three.close();
    assert.equal(((await two.ask('thread')) as unknown[])[0], otherThread);
    assert.equal(await run({ value: 1 }), { value: 1 });
    two.close();
  }));

test('closing fails what is under way and what comes later', () =>
  withPool(1, async (run, pool) => {
    const underWay = [run({ wait: 1000 }), run({ wait: 1000 }), run({ wait: 1000 })];
    pool.close();
    for (const task of underWay) await rejects(task, WorkerError, /closed/);
    await rejects(run({ value: 1 }), WorkerError, /closed/);
  }));

test('a process ends although the worker of an aborted task is busy', async () => {
  const program = fileURLToPath(new URL('../helpers/abortedTask.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program], {
    timeout: 60_000,
  });
  assert.is(stdout, 'RangeError: enough\n');
});

test('a process waits for a task that waits for the place of an aborted one', async () => {
  const program = fileURLToPath(new URL('../helpers/waitingTask.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program], {
    timeout: 60_000,
  });
  assert.is(stdout, 'done\n');
});

test.run();
