import type { ByteRangeOptions, RandomAccessSource, ReadOptions } from '../src/source.js';
import { pullStream } from './pullStream.js';
import { beyondEnd, CHUNK_SIZE, checkRange, checkRead } from './ranges.js';

/** Reads a range that is within the source: checked already, never empty. */
export type ReadRange = (offset: number, length: number, options: ReadOptions) => Promise<Uint8Array>;

/**
 * A source of known size that can read anywhere: its streams are reads of one chunk after another.
 * @param assertUnchanged asks whether the bytes are still those from when the source was opened, after each read and
 *   at the end of a stream; with its chunks, to cost them no time
 */
export function randomAccessSource(
  size: number,
  readRange: ReadRange,
  name?: string,
  assertUnchanged?: () => Promise<void>,
): RandomAccessSource & { readonly size: number } {
  return {
    size,
    name,
    stream(options: ByteRangeOptions = {}) {
      const { start, end = Math.max(start, size) } = checkRange(options);
      let position = start;
      return pullStream(
        {
          async next() {
            if (end > size) throw beyondEnd(end, size, name);
            const length = Math.min(CHUNK_SIZE, end - position);
            const unchanged = assertUnchanged?.();
            // Where both fail, the read says more.
            unchanged?.catch(() => {});
            const chunk = length === 0 ? undefined : await readRange(position, length, options);
            await unchanged;
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
      await assertUnchanged?.();
      options.signal?.throwIfAborted();
      return bytes;
    },
  };
}
