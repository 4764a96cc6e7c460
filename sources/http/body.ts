import { ownMemory } from '../../src/bytes/sharedMemory.js';
import { SourceError } from '../../src/errors.js';
import type { ChunkReader } from '../chunkReader.js';
import { beyondEnd } from '../ranges.js';
import type { HttpRequest } from './request.js';
import type { RangeResponse } from './response.js';

/**
 * The requested bytes that are in a body, which may begin before them and end after them. The announced length is
 * enforced: a body that ends early is an error that a retry resumes from.
 */
export function bodyReader(request: HttpRequest, response: RangeResponse): ChunkReader {
  const { range, url: file } = request;
  const { size, complete, end: bodyEnd = Infinity } = response;
  const end = Math.min(range.end ?? Infinity, size ?? Infinity, bodyEnd);
  let position = response.start;
  return {
    async next() {
      while (position < end) {
        const chunk = await request.chunk(position);
        if (chunk === undefined) return checkEnd();
        const from = Math.max(0, range.start - position);
        const to = Math.min(chunk.length, end - position);
        position += chunk.length;
        // Of an engine whose chunks share memory, none is ours alone.
        if (request.isOwn && chunk.length === chunk.buffer.byteLength) ownMemory.add(chunk.buffer);
        if (from < chunk.length) return chunk.subarray(from, to);
      }
      // All of the body is here, and its end is about to be: a request that has ended leaves its connection usable.
      if (position === bodyEnd) await request.chunk(position);
      if (complete && range.end !== undefined && position < range.end) {
        throw beyondEnd(range.end, position, file);
      }
      return undefined;
    },
    close: (reason) => request.close(reason),
  };

  function checkEnd(): undefined {
    if (bodyEnd !== Infinity) {
      throw new SourceError('Cannot read the whole response: its body ended early', {
        file,
        retryable: true,
        expected: end,
        actual: position,
      });
    }
    const needed = range.end ?? range.start;
    if (position < needed) throw beyondEnd(needed, position, file);
    return undefined;
  }
}
