import { lastValueFrom, toArray } from 'rxjs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { collectHct, fromReadableStream } from '../../operators/index.js';
import { collectTensor, HctWriter, memorySink, TensorSink } from '../../sinks/index.js';
import { streamSource } from '../../sources/index.js';
import { ArgumentError, FormatError, SourceError } from '../../src/errors.js';
import { WorkerPool } from '../../workers/pool.js';
import { rejects } from '../helpers/assertions.js';
import { hctFixtures } from '../helpers/hctFixtures.js';
import { chunked, collect, tick, until } from '../helpers/streams.js';

const test = suite('responses where streams are taken');

const [{ bytes, shape }] = hctFixtures as [(typeof hctFixtures)[number]];

/** All that takes a stream of bytes; each promises its chunks, or a tensor of them. */
const TAKERS: Record<string, (input: ReadableStream<Uint8Array> | Response | null) => Promise<unknown>> = {
  collectTensor,
  fromReadableStream: (input) => lastValueFrom(fromReadableStream(input).pipe(toArray())),
  streamSource: async (input) => collect(streamSource(input).stream()),
};

for (const [name, take] of Object.entries(TAKERS)) {
  test(`${name}: a response is its body`, async () => {
    const fromBody = await take(chunked(bytes, 100));
    const fromResponse = await take(new Response(chunked(bytes, 100)));
    assert.equal(fromResponse, fromBody);
  });

  test(`${name}: a response without a body is an error with its status`, async () => {
    const error = await rejects(take(new Response(null, { status: 204 })), SourceError);
    assert.is(error.message, 'Cannot read the response: it has no body (status 204)');
    assert.is(error.status, 204);
  });

  test(`${name}: a body that is null is an error`, async () => {
    const { body } = new Response(null, { status: 204 });
    const error = await rejects(take(body), SourceError);
    assert.is(error.message, 'Cannot read the response: it has no body');
  });

  test(`${name}: what is no stream is an error that says what it is`, async () => {
    const url = 'https://example.org/model/fc1.weight.hct';
    const promise = Promise.resolve(new Response(bytes));
    await rejects(
      take(promise as never),
      ArgumentError,
      /Response, such as await fetch\(url\), got a Promise$/,
    );
    await rejects(take(url as never), ArgumentError, /, got https:\S+fc1\.weight\.hct$/);
    await rejects(take({} as never), ArgumentError, /, got an object$/);
  });

  test(`${name}: the stream is free at its end, and cancelled where a chunk is no bytes`, async () => {
    const whole = chunked(bytes, 100);
    await take(whole);
    assert.is(whole.locked, false);

    // An observable may be of anything.
    if (take === TAKERS.fromReadableStream) return;
    let reason: unknown;
    const text = new ReadableStream({
      pull: (controller) => controller.enqueue('text'),
      cancel: (given) => {
        reason = given;
      },
    });
    const error = await rejects(take(text), ArgumentError);
    assert.is(reason, error);
    assert.is(text.locked, false);
  });

  test(`${name}: the page of an error is not taken for data`, async () => {
    const page = new Response('<h1>Not found</h1>', { status: 404 });
    const error = await rejects(take(page), SourceError, /Cannot read the response: .*status 404/);
    assert.is(error.status, 404);
  });
}

test('the tensor of a response', async () => {
  assert.equal((await collectTensor(new Response(bytes))).shape, shape);
});

test('an abort acts at once, also where a worker never answers', async () => {
  const pool = new WorkerPool(1, { url: new URL('../helpers/silentWorker.mjs', import.meta.url) });
  const file = memorySink();
  const writer = new HctWriter(file, { dtype: 'I8', shape: [2 ** 23] });
  await writer.write(new Uint8Array(2 ** 23));
  await writer.close();
  const reason = new Error('enough');
  try {
    const abort = new AbortController();
    const collecting = collectTensor(file.bytes, { workers: pool, signal: abort.signal });
    await tick();
    abort.abort(reason);
    assert.is(await rejects(collecting, Error), reason);

    // The write under way ends because of the abort: the input must hear of it all the same.
    const again = new AbortController();
    const chunks = chunked(file.bytes, 2 ** 14);
    let cancelled: unknown;
    const reader = chunks.getReader();
    const input = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { value } = await reader.read();
          controller.enqueue(value!);
        },
        cancel(given) {
          cancelled = given;
        },
      },
      { highWaterMark: 0 },
    );
    setTimeout(() => again.abort(reason), 50);
    const waiting = collectTensor(input, { workers: pool, signal: again.signal });
    assert.is(await rejects(waiting, Error), reason);
    await until(() => !input.locked);
    assert.equal([input.locked, cancelled], [false, reason]);

    const sink = new TensorSink({ workers: pool });
    const stream = sink.getWriter();
    const writing = stream.write(file.bytes).catch(() => {});
    await tick();
    await stream.abort(reason);
    await writing;
    await rejects(sink.tensor, Error);
  } finally {
    pool.close();
  }
});

test('what has been aborted before is cancelled unread', async () => {
  const reason = new Error('enough');
  let cancelled: unknown;
  const input = new ReadableStream<Uint8Array>(
    {
      pull: () => assert.unreachable(),
      cancel(given) {
        cancelled = given;
      },
    },
    { highWaterMark: 0 },
  );
  assert.is(await rejects(collectTensor(input, { signal: AbortSignal.abort(reason) }), Error), reason);
  assert.equal([input.locked, cancelled], [false, reason]);
});

test('of a file that is refused, the first error counts, also when its input cannot be cancelled', async () => {
  let cancelled: unknown;
  const input = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(64)),
    cancel(given) {
      cancelled = given;
      throw new Error('it cannot be cancelled either');
    },
  });
  const error = await rejects(collectTensor(input), FormatError);
  assert.is(cancelled, error);
  assert.is(input.locked, false);
});

for (const fixture of hctFixtures) {
  test(`${fixture.file}: fills the array that it is given, whatever was in it`, async () => {
    const expected = await collectTensor(fixture.bytes);
    const out = expected.data.slice().fill(1 as never);
    for (const make of [
      () => collectTensor(chunked(fixture.bytes, 333), { out }),
      async () => {
        const sink = new TensorSink({ out });
        await chunked(fixture.bytes, 100_000).pipeTo(sink);
        return sink.tensor;
      },
      () => lastValueFrom(fromReadableStream(chunked(fixture.bytes, 1000)).pipe(collectHct({ out }))),
    ]) {
      const found = await make();
      assert.equal(found, expected);
      assert.is(found.data, out);
      out.fill(2 as never);
    }
    const longer = new (out.constructor as typeof Uint8Array)(out.length + 1);
    await rejects(collectTensor(fixture.bytes, { out: longer }), ArgumentError, /value of out/);
  });
}

test.run();
