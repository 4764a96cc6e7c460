import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { streamSource } from '../../sources/index.js';
import { ArgumentError, SourceError } from '../../src/errors.js';
import { rejects, throws } from '../helpers/assertions.js';
import { openFiles } from '../helpers/openFiles.js';
import { collect, streamOf, tick } from '../helpers/streams.js';

const test = suite('streamSource');

const chunk = (...values: number[]) => new Uint8Array(values);

test('works once for a stream, again and again for a function', async () => {
  const once = streamSource(streamOf(chunk(1, 2), chunk(3)));
  assert.equal(await collect(once.stream({ start: 1 })), [chunk(2), chunk(3)]);
  throws(() => once.stream(), SourceError, /only once/);
  const often = streamSource(() => [chunk(1, 2), chunk(3)]);
  for (let i = 0; i < 2; i++) assert.equal(await collect(often.stream({ end: 2 })), [chunk(1, 2)]);
});

test('nothing is read before it is asked for, nor behind the range', async () => {
  let made = 0;
  let returned = 0;
  function* chunks() {
    try {
      for (;;) {
        made += 1;
        yield chunk(made, made);
      }
    } finally {
      returned += 1;
    }
  }
  const reader = streamSource(chunks()).stream({ start: 3, end: 6 }).getReader();
  await tick();
  assert.is(made, 0);
  assert.equal((await reader.read()).value, chunk(2));
  await tick();
  assert.is(made, 2);
  assert.equal((await reader.read()).value, chunk(3, 3));
  assert.is((await reader.read()).done, true);
  assert.equal([made, returned], [3, 1]);
});

test('cancelling reaches the origin with its reason, even one that stalls', async () => {
  let reason: unknown;
  const origin = new ReadableStream<Uint8Array>({
    cancel: (why) => {
      reason = why;
    },
  });
  const reader = streamSource(origin).stream().getReader();
  const reading = reader.read();
  await tick();
  await reader.cancel('enough');
  assert.is((await reading).done, true);
  assert.is(reason, 'enough');
});

test('Node streams: read as Uint8Array, closed when cancelled at any point', async () => {
  const path = fileURLToPath(import.meta.url);
  for (const reads of [0, 1, 2]) {
    const file = createReadStream(path, { highWaterMark: 100 });
    const reader = streamSource(file).stream().getReader();
    for (let i = 0; i < reads; i++) assert.is((await reader.read()).value?.constructor, Uint8Array);
    await reader.cancel();
    if (!file.closed) await once(file, 'close');
  }
  const stalled = new PassThrough();
  const reader = streamSource(stalled).stream().getReader();
  const reading = reader.read();
  await tick();
  await reader.cancel();
  assert.is((await reading).done, true);
  assert.ok(stalled.destroyed);
  assert.is(openFiles(path), 0);
});

test('a generator that waits does not hold up a cancel', async () => {
  async function* never() {
    await new Promise(() => {});
    yield chunk(1);
  }
  const reader = streamSource(never()).stream().getReader();
  const reading = reader.read();
  await tick();
  await reader.cancel();
  assert.is((await reading).done, true);
});

test('errors of the origin arrive; what is not bytes is refused', async () => {
  async function* broken() {
    yield chunk(1);
    throw new Error('broken');
  }
  await rejects(collect(streamSource(broken()).stream()), Error, /broken/);
  await rejects(
    collect(streamSource(['text'] as never).stream()),
    ArgumentError,
    /expected a Uint8Array.*, got text/,
  );
});

test('engines without async iteration of streams are served', async () => {
  const prototype = ReadableStream.prototype as { [Symbol.asyncIterator]?: unknown };
  const iterate = Object.getOwnPropertyDescriptor(prototype, Symbol.asyncIterator)!;
  Reflect.deleteProperty(prototype, Symbol.asyncIterator);
  try {
    const reader = streamSource(streamOf(chunk(1, 2)))
      .stream()
      .getReader();
    assert.equal((await reader.read()).value, chunk(1, 2));
    assert.is((await reader.read()).done, true);
  } finally {
    Object.defineProperty(prototype, Symbol.asyncIterator, iterate);
  }
});

test.run();
