import { SourceError } from '../../src/errors.js';
import type { ChunkReader } from '../pullStream.js';
import { beyondEnd } from '../ranges.js';
import type { HttpRequest } from './request.js';
import type { RangeResponse } from './response.js';

/**
 * The bytes that were asked for, out of a body that may begin before them and go on behind them. The length that was
 * promised is enforced: a body that ends early is an error that can be resumed from.
 */
export function bodyReader(request: HttpRequest, answer: RangeResponse): ChunkReader {
  const { range, url: name } = request;
  const { size } = answer;
  const wanted = range.end ?? size;
  // Where the body must reach; unknown where neither the caller nor the server says.
  const end = wanted === undefined || size === undefined ? wanted : Math.min(wanted, size);
  const bodyEnd = answer.start + (answer.bodyLength ?? Number.NaN);
  let position = answer.start;
  return {
    async next() {
      while (end === undefined || position < end) {
        const chunk = await request.chunk(position);
        if (chunk === undefined) return checkEnd();
        const from = Math.max(0, range.start - position);
        const to = end === undefined ? chunk.length : end - position;
        position += chunk.length;
        if (from < chunk.length) return chunk.subarray(from, to);
      }
      if (range.end !== undefined && position < range.end) throw beyondEnd(range.end, position, name);
      // All of the body is here, and its end is about to be: a request that has ended leaves its connection usable.
      if (position === bodyEnd) await request.chunk(position);
      return undefined;
    },
    close: (reason) => request.close(reason),
  };

  function checkEnd(): undefined {
    if (size !== undefined) {
      throw new SourceError('body ended early', { name, retryable: true, expected: end, actual: position });
    }
    const needed = range.end ?? range.start;
    if (position < needed) throw beyondEnd(needed, position, name);
    return undefined;
  }
}
