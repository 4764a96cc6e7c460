/** Small things that tests of streams share. */

import * as assert from 'uvu/assert';

export function streamOf<T>(...values: T[]): ReadableStream<T> {
  const rest = values.values();
  return new ReadableStream<T>(
    {
      pull(controller) {
        const { done, value } = rest.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
}

/** The bytes as a stream of chunks of `size` bytes, the last one shorter. */
export function chunked(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return streamOf(...chunks);
}

export async function collect<T>(stream: ReadableStream<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of stream) all.push(value);
  return all;
}

/** Tasks that may follow one another before a moment has passed. */
const TURNS = 10;

/**
 * A moment, after which all that was ready has run: a process that did not have the processor meanwhile finds its timers due
 * before it has come to its other tasks.
 */
export async function tick(ms = 5): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const PATIENCE_MS = 30_000;

/** Waits for what happens a moment later, on a busy machine a long one. Ends without an error if it never happens. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await condition()) && performance.now() < end) await tick();
}

/** The stream gives these bytes, in chunks of any size. */
export async function assertStream(stream: ReadableStream<Uint8Array>, expected: Uint8Array): Promise<void> {
  assert.ok(Buffer.concat(await collect(stream)).equals(expected), 'bytes differ');
}
