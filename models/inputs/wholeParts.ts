import type { JoinedPart } from '../../sources/joined.js';
import { createLimiter } from '../../sources/limiter.js';
import { pullStream } from '../../sources/pullStream.js';
import { CHUNK_SIZE } from '../../sources/ranges.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';

/**
 * Makes parts of a file that can only be decoded whole. The last one is kept for reads that follow in it: files are read in pieces
 * that are much smaller than tensors. One at a time is decoded, so that memory holds one, and those that are being streamed: streams
 * of several parts take turns, and each would be decoded again for every chunk.
 */
export function wholeParts(): (
  length: number,
  decode: (options: AbortOptions) => Promise<Uint8Array>,
) => JoinedPart {
  const mutex = createLimiter(1);
  let last: { readonly part: JoinedPart; readonly bytes: Uint8Array } | undefined;
  return (length, decode) => {
    const decoded = async ({ signal }: AbortOptions): Promise<Uint8Array> => {
      const leave = await mutex.acquire(signal);
      try {
        if (last?.part !== part) {
          // Before the next one takes memory.
          last = undefined;
          last = { part, bytes: await decode({ signal }) };
        }
        return last.bytes;
      } finally {
        leave();
      }
    };
    const part: JoinedPart = {
      length,
      read: async (offset, count, options) => (await decoded(options)).subarray(offset, offset + count),
      stream(offset, count, { signal }) {
        let bytes: Uint8Array | undefined;
        let position = offset;
        const end = offset + count;
        return pullStream(
          {
            async next() {
              if (position === end) return undefined;
              bytes ??= await decoded({ signal });
              const chunk = bytes.slice(position, Math.min(position + CHUNK_SIZE, end));
              position += chunk.length;
              return chunk;
            },
          },
          [signal],
        );
      },
    };
    return part;
  };
}
