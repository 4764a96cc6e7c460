import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesSource } from '../../sources/bytes.js';
import { START_SIZE, StartedSource } from '../../sources/startedSource.js';
import type { ByteRangeOptions, RandomAccessSource } from '../../src/source.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { tick, until } from '../helpers/streams.js';

/** Sources of callers that keep less of the contract than ours: the start of their files is read in the background. */

const test = suite('starts of sources that are not ours');

const bytes = pseudoRandomBytes(2 * START_SIZE);

interface OwnSource extends RandomAccessSource {
  /** Streams that are neither at their end nor cancelled. */
  readonly open: () => number;
}

/**
 * @param chunk the next one of a stream, `at` so many bytes in the file; undefined at its end
 */
function sourceOf(
  chunk: (at: number, end: number) => Uint8Array | undefined | Promise<Uint8Array | undefined>,
): OwnSource {
  let open = 0;
  return {
    ...{ size: bytes.length, read: bytesSource(bytes).read, open: () => open },
    stream({ start = 0, end = bytes.length }: ByteRangeOptions = {}) {
      let at = start;
      open += 1;
      const ended = () => {
        open -= 1;
      };
      const stream: UnderlyingDefaultSource<Uint8Array> = {
        async pull(controller) {
          const next = await chunk(at, end);
          if (next === undefined) {
            ended();
            return controller.close();
          }
          at += next.length;
          controller.enqueue(next);
        },
        cancel: ended,
      };
      return new ReadableStream(stream, { highWaterMark: 0 });
    },
  };
}

const ranged = (at: number, end: number) => (at < end ? bytes.slice(at, end) : undefined);
const never = () => new Promise<undefined>(() => {});

test('a stream that has given all, and does not end: what follows is read', async () => {
  const own = sourceOf((at, end) => (at === START_SIZE && end === START_SIZE ? never() : ranged(at, end)));
  const source = new StartedSource(own);
  const read = await source.read(START_SIZE - 10, 20);
  assert.equal(read, bytes.slice(START_SIZE - 10, START_SIZE + 10));
  source.stop();
});

test('a stream that goes on behind its range is cancelled: its bytes could have no end', async () => {
  const own = sourceOf(async (at) => {
    await tick(0);
    return at < bytes.length ? bytes.slice(at, at + 50_000) : new Uint8Array(50_000);
  });
  const source = new StartedSource(own);
  assert.equal(await source.read(START_SIZE - 10, 10), bytes.slice(START_SIZE - 10, START_SIZE));
  await until(() => own.open() === 0);
  assert.is(own.open(), 0);
});

test('a reader that is cancelled while it waits for the start opens nothing behind it', async () => {
  let end = () => {};
  const ending = new Promise<undefined>((resolve) => {
    end = () => resolve(undefined);
  });
  // Shorter than its range: what waits for more asks for what follows.
  const own = sourceOf((at, to) => (at === 0 ? bytes.slice(0, 1000) : at === 1000 ? ending : ranged(at, to)));
  const reader = new StartedSource(own).stream({ start: 100, end: 5000 }).getReader();
  await reader.read();
  const waiting = reader.read();
  await tick();
  await reader.cancel();
  end();
  assert.is((await waiting).done, true);
  await tick();
  assert.is(own.open(), 0);
});

test('a source that fills one buffer again and again, and readers that write to what they get', async () => {
  const buffer = new Uint8Array(1000);
  const own = sourceOf((at, end) => {
    if (at >= end) return undefined;
    const chunk = buffer.subarray(0, Math.min(1000, end - at));
    chunk.set(bytes.subarray(at, at + chunk.length));
    return chunk;
  });
  const source = new StartedSource(own);
  for (let i = 0; i < 2; i++) {
    const read = await source.read(500, 60_000);
    assert.equal(read, bytes.slice(500, 60_500));
    read.fill(0);
  }
});

test.run();
