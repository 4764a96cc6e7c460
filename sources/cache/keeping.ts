import type { Range } from '../../src/bytes/ranges.js';
import type { RandomAccessSource } from '../../src/source.js';
import { type ChunkReader, streamReader } from '../chunkReader.js';
import type { ByteRange } from '../ranges.js';

/** Bytes of one entry: few enough entries for a store, small enough to be read and verified at once. */
const ENTRY_SIZE = 2 ** 20;

/**
 * Passes on the bytes of a range, and gives them to `keep` in pieces of ENTRY_SIZE; at an early end, those read so far.
 */
export function keeping(
  source: RandomAccessSource,
  { start, end }: ByteRange,
  keep: (range: Range, bytes: Uint8Array) => Promise<void>,
): ChunkReader {
  const reader = streamReader(source.stream({ start, end }));
  let position = start;
  let buffer = new Uint8Array(0);
  let filled = 0;
  let kept = Promise.resolve();
  /** Resolves when all that has come is kept, also what others have begun to keep. */
  const flush = () => {
    const bytes = buffer.subarray(0, filled);
    const range = { start: position, end: position + filled };
    position = range.end;
    filled = 0;
    buffer = new Uint8Array(0);
    if (bytes.length > 0) kept = kept.then(() => keep(range, bytes));
    return kept;
  };
  const add = async (chunk: Uint8Array) => {
    for (let used = 0; used < chunk.length; ) {
      if (buffer.length === 0) buffer = new Uint8Array(Math.min(ENTRY_SIZE, (end ?? Infinity) - position));
      const part = chunk.subarray(used, used + buffer.length - filled);
      buffer.set(part, filled);
      used += part.length;
      filled += part.length;
      if (filled === buffer.length) await flush();
    }
  };
  return {
    async next() {
      try {
        const chunk = await reader.next();
        if (chunk !== undefined) await add(chunk);
        return chunk;
      } catch (error) {
        await flush();
        throw error;
      }
    },
    async close(reason) {
      try {
        await reader.close?.(reason);
      } finally {
        await flush();
      }
    },
  };
}
