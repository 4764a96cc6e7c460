import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesSource, type SourceEvent, withFailover, withRetry } from '../../sources/index.js';
import {
  ArgumentError,
  FormatError,
  SourceChangedError,
  SourceError,
  TruncatedError,
} from '../../src/errors.js';
import type { ByteRangeOptions, RandomAccessSource } from '../../src/source.js';
import { rejects, throws } from '../helpers/assertions.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { collect, tick } from '../helpers/streams.js';

const bytes = pseudoRandomBytes(300_000);
const broken = () => new SourceError('broken', { retryable: true });

/** Gives chunks of 10,000 bytes; before each, `fail` may have it fail instead. */
class Unreliable implements RandomAccessSource {
  readonly size: number | undefined;
  readonly starts: number[] = [];
  readonly #fail: (position: number) => unknown;
  cancelled = 0;
  closed = 0;

  constructor(fail: (position: number) => unknown, size = bytes.length) {
    this.#fail = fail;
    this.size = size;
  }

  stream({ start = 0, end = bytes.length }: ByteRangeOptions = {}): ReadableStream<Uint8Array> {
    this.starts.push(start);
    let position = start;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const error = this.#fail(position);
          if (error !== undefined) throw error;
          const chunk = bytes.subarray(position, Math.min(end, position + 10_000));
          position += chunk.length;
          if (chunk.length > 0) controller.enqueue(chunk);
          else controller.close();
        },
        cancel: () => {
          this.cancelled += 1;
        },
      },
      { highWaterMark: 0 },
    );
  }

  read(): Promise<Uint8Array> {
    throw new Error('not used');
  }

  async version(): Promise<string> {
    const error = this.#fail(0);
    if (error !== undefined) throw error;
    return 'v1';
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

/** Fails the first `count` times that it is asked. */
function failing(count: number, error: () => unknown = broken) {
  let left = count;
  return () => (left-- > 0 ? error() : undefined);
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(Buffer.concat(await collect(stream)));
}

const test = suite('withRetry, withFailover');

test('retry: goes on where it broke; a KiB that arrives resets the count', async () => {
  let calls = 0;
  const source = new Unreliable(() => (calls++ % 3 === 2 ? broken() : undefined));
  const events: SourceEvent[] = [];
  const retrying = withRetry(source, { retries: 1, delay: 0, onEvent: (event) => events.push(event) });
  assert.equal(await bytesOf(retrying.stream({ start: 5 })), bytes.slice(5));
  assert.ok(events.length > 10);
  for (const event of events) assert.equal([event.type, 'attempt' in event && event.attempt], ['retry', 1]);
  assert.equal(
    source.starts.slice(1),
    events.map((event) => 'position' in event && event.position),
  );
  assert.equal(await retrying.read(7, 100_000), bytes.slice(7, 100_007));
  assert.is(retrying.size, bytes.length);
  assert.is(await withRetry(new Unreliable(failing(2)), { delay: 0 }).version?.(), 'v1');
});

test('retry: gives up after so many failures in a row, and at once where it is no use', async () => {
  const hopeless = new Unreliable(broken);
  await rejects(withRetry(hopeless, { retries: 3, delay: 0 }).read(0, 10), SourceError, /broken/);
  assert.is(hopeless.starts.length, 4);
  for (const error of [
    new SourceError('no such file'),
    new FormatError('bad'),
    new TruncatedError('short'),
  ]) {
    const source = new Unreliable(() => error);
    await rejects(withRetry(source, { delay: 0 }).read(0, 10), Error);
    assert.is(source.starts.length, 1);
  }
});

test('retry: waits double, with a random part; Retry-After is kept, too long a one is not waited for', async () => {
  const random = Math.random;
  Math.random = () => 0.5;
  try {
    const delays: number[] = [];
    const onEvent = (event: SourceEvent) => {
      if (event.type === 'retry') delays.push(event.delay);
    };
    const options = { retries: 6, delay: 2, maxDelay: 20, onEvent };
    await withRetry(new Unreliable(failing(6)), options).read(0, 10);
    assert.equal(delays, [1, 2, 4, 8, 10, 10]);
    const asked = (retryAfter: number) =>
      new Unreliable(failing(1, () => new SourceError('busy', { retryable: true, retryAfter })));
    await withRetry(asked(15), options).read(0, 10);
    assert.is(delays.at(-1), 15);
    await rejects(withRetry(asked(21), options).read(0, 10), SourceError, /busy/);
  } finally {
    Math.random = random;
  }
});

test('retry: an abort, a cancel or a close ends the wait and the source', async () => {
  const source = new Unreliable(broken);
  const all = new AbortController();
  const retrying = withRetry(source, { delay: 1e6, maxDelay: 1e9, signal: all.signal });
  const one = new AbortController();
  const aborted = retrying.read(0, 10, { signal: one.signal });
  const reader = retrying.stream().getReader();
  const cancelled = reader.read();
  const ended = retrying.read(0, 10);
  await tick();
  one.abort(new Error('enough'));
  await rejects(aborted, Error, /enough/);
  await reader.cancel();
  assert.is((await cancelled).done, true);
  all.abort(new Error('all'));
  await rejects(ended, Error, /all/);
  const closing = withRetry(source, { delay: 1e6 });
  const left = closing.read(0, 10);
  await tick();
  await closing.close?.();
  await rejects(left, DOMException, /closed/);
  assert.is(source.closed, 1);
  const running = new Unreliable(() => undefined);
  const stream = withRetry(running).stream().getReader();
  await stream.read();
  await stream.cancel();
  assert.is(running.cancelled, 1);
});

test('failover: the next source goes on at the same byte and stays in use', async () => {
  const first = new Unreliable((position) => (position >= 50_000 ? new SourceError('gone') : undefined));
  const second = new Unreliable(() => undefined);
  const events: SourceEvent[] = [];
  const source = withFailover([first, second], { onEvent: (event) => events.push(event) });
  assert.equal(await bytesOf(source.stream()), bytes);
  assert.equal([first.starts, second.starts], [[0], [50_000]]);
  assert.equal(
    events.map(({ type, ...event }) => [
      type,
      'to' in event && event.to,
      'position' in event && event.position,
    ]),
    [['failover', 1, 50_000]],
  );
  assert.equal(await source.read(3, 4), bytes.slice(3, 7));
  assert.is(first.starts.length, 1);
  assert.is(await source.version?.(), 'v1');
  await source.close?.();
  assert.equal([first.closed, second.closed], [1, 1]);
});

test('failover: all fail: the error to try again after, if there is one', async () => {
  const gone = () => new Unreliable(() => new SourceError('gone'));
  await rejects(withFailover([gone(), gone()]).read(0, 10), SourceError, /gone/);
  const error = await rejects(
    withFailover([gone(), new Unreliable(broken), gone()]).read(0, 10),
    SourceError,
    /broken/,
  );
  assert.is(error.retryable, true);
  const source = withRetry(withFailover([gone(), new Unreliable(failing(2))]), { delay: 0 });
  assert.equal(await source.read(0, 10), bytes.slice(0, 10));
  throws(() => withFailover([]), ArgumentError, /at least one/);
});

test('failover: errors that no other source can mend, and copies of another size', async () => {
  const other = new Unreliable(() => undefined);
  const source = withFailover([bytesSource(bytes), other]);
  await rejects(source.read(bytes.length, 1), TruncatedError);
  assert.is(other.starts.length, 0);
  let calls = 0;
  const first = new Unreliable(() => (calls++ > 0 ? new SourceError('gone') : undefined));
  const shorter = new Unreliable(() => undefined, bytes.length - 1);
  const error = await rejects(
    bytesOf(withFailover([first, shorter]).stream()),
    SourceChangedError,
    /differ in size/,
  );
  assert.equal([error.expected, error.actual], [bytes.length, bytes.length - 1]);
});

test.run();
