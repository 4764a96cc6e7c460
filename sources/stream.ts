import { type ByteStreamLike, byteReader } from '../platform/byteReader.js';
import { SourceError } from '../src/errors.js';
import type { ByteRangeOptions, ByteSource } from '../src/source.js';
import { pullStream } from './pullStream.js';
import { type ByteRange, beyondEnd, checkRange } from './ranges.js';

/**
 * Anything that gives bytes in order as a source. It has no size and cannot go back, so `stream` can be called once; given
 * a function that makes streams, any number of times. A range skips the bytes before it and cancels the stream after it. A
 * stream of another implementation (a ponyfill's) comes out as one of the engine's, which can be piped into stages.
 *
 * @example
 * const { shape, data } = await collectTensor(streamSource(process.stdin).stream());
 *
 * @throws SourceError from the second `stream()`, and for a response that is an error or has no body; ArgumentError for
 * what gives no bytes
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
  const reader = byteReader(origin);
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
