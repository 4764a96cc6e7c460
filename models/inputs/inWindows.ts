import { createLimiter } from '../../sources/limiter.js';
import { randomAccessSource } from '../../sources/randomAccess.js';
import type { RandomAccessSource } from '../../src/source.js';

/** Bytes that are read at a time. */
const WINDOW = 2 ** 20;

/**
 * The same bytes, read many at a time and kept until others are read: streams ask for one chunk after another, and each may take
 * requests.
 */
export function inWindows(
  source: RandomAccessSource & { readonly size: number },
  name: string,
): RandomAccessSource & { readonly size: number } {
  const { size } = source;
  const turn = createLimiter(1);
  let start = 0;
  let bytes: Uint8Array = new Uint8Array(0);
  return randomAccessSource(
    size,
    async (offset, length, { signal }) => {
      if (length > WINDOW) return source.read(offset, length, { signal });
      const leave = await turn.acquire(signal);
      try {
        if (offset < start || offset + length > start + bytes.length) {
          bytes = await source.read(offset, Math.min(WINDOW, size - offset), { signal });
          start = offset;
        }
        return bytes.slice(offset - start, offset - start + length);
      } finally {
        leave();
      }
    },
    name,
  );
}
