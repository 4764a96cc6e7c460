import type { JoinedPart } from '../../sources/joined.js';
import { createLimiter } from '../../sources/limiter.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';

/**
 * Makes parts of a file that can only be decoded whole. The last one is kept for reads that follow in it: files are read in pieces
 * that are much smaller than tensors. One at a time is decoded, so that memory holds one.
 */
export function wholeParts(): (
  length: number,
  decode: (options: AbortOptions) => Promise<Uint8Array>,
) => JoinedPart {
  const mutex = createLimiter(1);
  let last: { readonly part: JoinedPart; readonly bytes: Uint8Array } | undefined;
  return (length, decode) => {
    const part: JoinedPart = {
      length,
      async read(offset, count, { signal }) {
        const leave = await mutex.acquire(signal);
        try {
          if (last?.part !== part) {
            // Before the next one takes memory.
            last = undefined;
            last = { part, bytes: await decode({ signal }) };
          }
          return last.bytes.subarray(offset, offset + count);
        } finally {
          leave();
        }
      },
    };
    return part;
  };
}
