import { getEventListeners } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compressFile, fileSource } from '../../node.js';
import { withOwnSignal } from '../../platform/abort.js';
import { collectTensor } from '../../sinks/index.js';
import {
  bytesSource,
  createLimiter,
  httpSource,
  streamSource,
  withCoalescing,
  withRetry,
} from '../../sources/index.js';
import { rejects } from '../helpers/assertions.js';
import { temporaryFolder } from '../helpers/cli.js';
import { faultyServer } from '../helpers/faultyServer.js';
import { tick, until } from '../helpers/streams.js';

const test = suite('signals');

/** More than the number of listeners from which Node warns of a leak. */
const MANY = 12;

test('one signal, shared by many calls, has one listener, and reaches all of them', async () => {
  await using server = await faultyServer(new Uint8Array(1000));
  server.fault = () => ({ stallAfter: 10 });
  const folder = temporaryFolder();
  const raw = join(folder, 'w.raw');
  await writeFile(raw, new Uint8Array(2_000_000));
  await using file = await fileSource(raw);
  const stalled = () => new ReadableStream<Uint8Array>({});
  const abort = new AbortController();
  const { signal } = abort;
  const limiter = createLimiter(1);
  await limiter.acquire();
  const options = { dtype: 'I8', shape: [2_000_000], algorithm: 'lz4' } as const;
  const calls: (() => Promise<unknown>)[] = [
    () => collectTensor(stalled(), { signal }),
    () => streamSource(stalled()).stream({ signal }).getReader().read(),
    () => httpSource(server.url, { signal }).read(0, 100),
    () => httpSource(server.url).read(0, 100, { signal }),
    () => withRetry(httpSource(server.url, { retry: false }), { signal }).read(0, 100, { signal }),
    () => withCoalescing(httpSource(server.url)).read(0, 100, { signal }),
    () => limiter.acquire(signal),
  ];
  const waiting = calls.flatMap((call) => Array.from({ length: MANY }, call));
  const outcomes = Promise.allSettled(waiting);
  const ended = Promise.all(
    Array.from({ length: MANY }, (_, i) =>
      compressFile(raw, join(folder, `${i}.hct`), { ...options, signal }).then(
        () => 'done',
        (error) => error.message,
      ),
    ),
  );
  await Promise.all(Array.from({ length: MANY }, () => file.read(0, 10, { signal })));
  await Promise.all(
    Array.from({ length: MANY }, () => bytesSource(new Uint8Array(5)).read(0, 5, { signal })),
  );
  await tick(50);
  assert.is(getEventListeners(signal, 'abort').length, 1);
  abort.abort(new Error('enough'));
  for (const outcome of await outcomes) {
    assert.is(outcome.status, 'rejected');
    if (outcome.status === 'rejected') assert.match(String(outcome.reason), 'enough');
  }
  for (const end of await ended) assert.ok(end === 'done' || end === 'enough', end);
});

test('a fetch that hears no signal: an abort acts at once, and a response that comes all the same is dropped', async () => {
  for (const part of ['head', 'body']) {
    let cancelled = false;
    let answer!: () => void;
    const body = new ReadableStream<Uint8Array>({
      cancel: () => {
        cancelled = true;
      },
    });
    const headers = { 'content-range': 'bytes 0-9/1000' };
    const respond = () => new Response(body, { status: 206, headers });
    const deaf = () =>
      part === 'body'
        ? Promise.resolve(respond())
        : new Promise<Response>((resolve) => {
            answer = () => resolve(respond());
          });
    const source = httpSource('https://example.org/file', { fetch: deaf });
    const abort = new AbortController();
    const reading = source.read(0, 10, { signal: abort.signal });
    await tick();
    abort.abort(new Error('enough'));
    await rejects(reading, Error, /enough/);
    if (part === 'head') answer();
    await until(() => cancelled);
    assert.ok(cancelled, part);
    await until(() => !process.getActiveResourcesInfo().includes('Timeout'));
    assert.not(process.getActiveResourcesInfo().includes('Timeout'), 'a timer is left');
  }
});

test('work with a signal of its own: aborted with the other, before, meanwhile, and no more afterwards', async () => {
  const reason = new Error('enough');
  const fails = (signal: AbortSignal | undefined) =>
    withOwnSignal(signal, async (own) => {
      await tick(5);
      own.throwIfAborted();
      return own;
    });
  assert.is(await rejects(fails(AbortSignal.abort(reason)), Error), reason);
  const abort = new AbortController();
  const failing = fails(abort.signal);
  const done = await withOwnSignal(abort.signal, async (own) => own);
  abort.abort(reason);
  assert.is(await rejects(failing, Error), reason);
  assert.is(done.aborted, false);
  assert.is((await fails(undefined)).aborted, false);
});

test.run();
