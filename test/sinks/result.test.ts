import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ResultWork, withResult } from '../../sinks/result.js';
import { rejects } from '../helpers/assertions.js';
import { streamOf, tick } from '../helpers/streams.js';

/** Counts bytes; fails at a byte of 255, at once or later, and when it has counted none. */
class Count implements ResultWork<number> {
  readonly aborts: unknown[] = [];
  #bytes = 0;

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (chunk[0] === 255) throw new Error('bad byte');
    if (chunk.at(-1) === 255) return Promise.reject(new Error('bad byte'));
    this.#bytes += chunk.length;
    return chunk.length > 1 ? tick(1) : undefined;
  }
  async close(): Promise<number> {
    if (this.#bytes === 0) throw new Error('no bytes');
    return this.#bytes;
  }
  abort(reason: unknown): undefined {
    this.aborts.push(reason);
  }
}

function counting() {
  const work = new Count();
  const { sink, result } = withResult(work);
  return { work, result, stream: new WritableStream(sink) };
}

test('the result comes when the stream has been closed', async () => {
  const { work, result, stream } = counting();
  await streamOf(Uint8Array.of(1), Uint8Array.of(2, 3)).pipeTo(stream);
  assert.is(await result, 3);
  assert.equal(work.aborts, []);
});

test('what fails, fails the stream and the result, and aborts the work once', async () => {
  for (const [chunks, message] of [
    [[[255, 1]], /bad byte/],
    [[[1, 255]], /bad byte/],
    [[], /no bytes/],
  ] as const) {
    const { work, result, stream } = counting();
    await rejects(streamOf(...chunks.map((each) => Uint8Array.from(each))).pipeTo(stream), Error, message);
    await rejects(result, Error, message);
    assert.equal(
      work.aborts.map((reason) => (reason as Error).message),
      [message.source],
    );
  }
});

test('an aborted stream rejects the result with the reason', async () => {
  const { work, result, stream } = counting();
  const reason = new Error('enough');
  await stream.abort(reason);
  await rejects(result, Error, /enough/);
  assert.equal(work.aborts, [reason]);
});

test.run();
