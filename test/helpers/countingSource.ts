import { bytesSource } from '../../sources/bytes.js';
import type { ByteRangeOptions, RandomAccessSource } from '../../src/source.js';

/** A source that remembers what was asked of it. */
export interface CountingSource extends RandomAccessSource {
  /** What was streamed, from start to end. */
  readonly ranges: [number, number][];
  /** Streams that were cancelled. */
  cancelled: number;
}

export function countingSource(bytes: Uint8Array): CountingSource {
  const inner = bytesSource(bytes);
  const state = {
    size: inner.size,
    ranges: [] as [number, number][],
    cancelled: 0,
    read: inner.read,
    stream(options: ByteRangeOptions = {}) {
      state.ranges.push([options.start ?? 0, options.end ?? bytes.length]);
      // It ends when it is cancelled, not when a signal says so: that must be enough.
      const reader = inner.stream({ start: options.start, end: options.end }).getReader();
      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            const { done, value } = await reader.read();
            if (done) controller.close();
            else controller.enqueue(value);
          },
          cancel(reason) {
            state.cancelled += 1;
            return reader.cancel(reason);
          },
        },
        { highWaterMark: 0 },
      );
    },
  };
  return state;
}
