import type { AbortOptions, ByteRangeOptions, RandomAccessSource } from '../src/source.js';
import { pullStream } from './pullStream.js';
import { beyondEnd, CHUNK_SIZE, checkRange, checkRead } from './ranges.js';

/** Reads a range that is within the source: checked already, never empty. */
export type ReadRange = (offset: number, length: number, options: AbortOptions) => Promise<Uint8Array>;

/**
 * A source of known size that can read anywhere: its streams are reads of one chunk after another.
 * @param atEnd awaited before a stream ends; what it throws fails the stream
 */
export function randomAccessSource(
  size: number,
  readRange: ReadRange,
  name?: string,
  atEnd?: () => Promise<void>,
): RandomAccessSource & { readonly size: number } {
  return {
    size,
    stream(options: ByteRangeOptions = {}) {
      const { start, end = Math.max(start, size) } = checkRange(options);
      let position = start;
      return pullStream(
        {
          async next() {
            if (end > size) throw beyondEnd(end, size, name);
            const length = Math.min(CHUNK_SIZE, end - position);
            if (length === 0) return void (await atEnd?.());
            const chunk = await readRange(position, length, options);
            position += length;
            return chunk;
          },
        },
        [options.signal],
      );
    },
    async read(offset, length, options = {}) {
      checkRead(offset, length, options).signal?.throwIfAborted();
      if (offset + length > size) throw beyondEnd(offset + length, size, name);
      if (length === 0) return new Uint8Array(0);
      const bytes = await readRange(offset, length, options);
      options.signal?.throwIfAborted();
      return bytes;
    },
  };
}
