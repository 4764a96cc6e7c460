import { LimitError, SourceError } from '../../src/errors.js';
import type { ChunkReader } from '../chunkReader.js';
import { KeptBytes } from '../kept.js';
import { beyondEnd } from '../ranges.js';
import type { HttpRequest } from './request.js';
import type { RangeResponse } from './response.js';

/**
 * The requested bytes that are in a body, which may begin before them and end after them. The announced length is
 * enforced: a body that ends early is an error that a retry resumes from.
 */
export function bodyReader(request: HttpRequest, response: RangeResponse): ChunkReader {
  const { range, url: file } = request;
  const { size, complete, end: bodyEnd = Number.POSITIVE_INFINITY } = response;
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
    if (bodyEnd !== Number.POSITIVE_INFINITY) {
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

/**
 * The body from a server that ignores ranges and sends the whole file. Its request may stay open for as long as the source, so
 * it counts among those that are open only while bytes are awaited: else a few such files would leave no place for others.
 * @param size of the file, if the server says it
 */
export function wholeBody(request: HttpRequest, size: number | undefined, maxSize: number): KeptBytes {
  const { url: name } = request;
  const body: KeptBytes = new KeptBytes(
    {
      async next() {
        await request.resume();
        const chunk = await request.chunk(body.length).finally(() => request.rest());
        // The end of the body comes with its last bytes, and a request that has ended leaves its connection usable.
        if (chunk !== undefined && body.length + chunk.length === size) await request.chunk(size);
        if (chunk === undefined && size !== undefined && body.length < size) {
          throw new SourceError('Cannot read the whole response: its body ended early', {
            file: name,
            retryable: true,
            expected: size,
            actual: body.length,
          });
        }
        return chunk;
      },
      close: (reason) => request.close(reason),
    },
    {
      size,
      maxSize,
      name,
      tooLarge: (actual) =>
        new LimitError(
          'Cannot keep the file in memory: the server takes no ranges, and the file is too large (option maxBuffered)',
          { file: name, expected: `at most ${maxSize} bytes`, actual },
        ),
    },
  );
  return body;
}
