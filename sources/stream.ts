import { bodyOf, type StreamInput } from '../src/body.js';
import { isByteArray } from '../src/bytes/binary.js';
import { ArgumentError, SourceError } from '../src/errors.js';
import type { ByteRangeOptions, ByteSource } from '../src/source.js';
import { type ChunkReader, pullStream } from './pullStream.js';
import { type ByteRange, beyondEnd, checkRange } from './ranges.js';

/** Anything that gives chunks of bytes: a web stream, a response, a Node stream, a generator, an array. */
export type ByteStreamLike = StreamInput | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * A stream or iterable as a source. It has no size and cannot go back, so `stream` can be called once; given a function
 * that makes streams, any number of times. A range skips the bytes before it and cancels the stream after it. A stream
 * of another implementation (a ponyfill's) comes out as one of the engine's, which can be piped into ours.
 *
 * @example
 * const { shape, data } = await collectTensor(streamSource(process.stdin).stream());
 *
 * @throws SourceError from the second `stream()`, and for a response that is an error or has no body; ArgumentError for
 * what is neither a stream nor a response nor iterable
 * @throws TruncatedError from the stream, when the bytes end before the range does
 */
export function streamSource(origin: ByteStreamLike | (() => ByteStreamLike)): ByteSource {
  let used = false;
  return {
    size: undefined,
    stream(options: ByteRangeOptions = {}) {
      const range = checkRange(options);
      if (typeof origin === 'function') return cut(origin(), range, options.signal);
      if (used) throw new SourceError('Cannot stream the source again: it can be read only once');
      used = true;
      return cut(origin, range, options.signal);
    },
  };
}

function cut(
  origin: ByteStreamLike,
  { start, end }: ByteRange,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  const reader = readerOf(origin);
  let position = 0;
  return pullStream(
    {
      async next() {
        while (end === undefined || position < end) {
          const chunk = await reader.next();
          if (chunk === undefined) {
            if (position < (end ?? start)) throw beyondEnd(end ?? start, position);
            return undefined;
          }
          const from = Math.max(0, start - position);
          const to = end === undefined ? chunk.length : end - position;
          position += chunk.length;
          if (from < chunk.length) return chunk.subarray(from, to);
        }
        return undefined;
      },
      close: (reason) => reader.close?.(reason),
    },
    [signal],
  );
}

function readerOf(origin: ByteStreamLike): ChunkReader {
  // Not every engine iterates streams (Chrome before 124, Safari), so they are read by hand.
  if (!isIterable(origin)) {
    const reader = bodyOf(origin).getReader();
    return {
      next: async () => {
        const { done, value } = await reader.read();
        return done ? undefined : asBytes(value);
      },
      close: (reason) => reader.cancel(reason),
    };
  }
  const iterator =
    Symbol.asyncIterator in origin ? origin[Symbol.asyncIterator]() : origin[Symbol.iterator]();
  let state: 'idle' | 'waiting' | 'ended' = 'idle';
  return {
    async next() {
      state = 'waiting';
      const { done, value } = await iterator.next();
      state = done ? 'ended' : 'idle';
      return done ? undefined : asBytes(value);
    },
    async close() {
      if (state === 'ended') return;
      // A Node stream's iterator closes the stream only after it has given a chunk, and not while it waits.
      if ('destroy' in origin && typeof origin.destroy === 'function') origin.destroy();
      const returned = Promise.resolve(iterator.return?.());
      // A generator that waits ends only when its own promise settles: do not wait for that.
      if (state === 'waiting') returned.catch(() => {});
      else await returned;
    },
  };
}

/** Node's Buffers become plain Uint8Arrays: their `slice` would share memory where others copy. */
function asBytes(chunk: unknown): Uint8Array {
  if (!isByteArray(chunk)) {
    throw new ArgumentError('Cannot read a chunk of the stream', {
      expected: 'Uint8Array',
      actual: typeof chunk,
    });
  }
  return chunk.constructor === Uint8Array
    ? chunk
    : new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

/** Streams are not, even where the engine could iterate them. */
function isIterable(origin: ByteStreamLike): origin is Exclude<ByteStreamLike, StreamInput> {
  if (typeof origin !== 'object' || origin === null || 'getReader' in origin) return false;
  return Symbol.asyncIterator in origin || Symbol.iterator in origin;
}
