import { LimitError, SourceError } from '../../src/errors.js';
import { KeptBytes } from '../kept.js';
import type { HttpRequest } from './request.js';

/**
 * The body from a server that ignores ranges and sends the whole file: loaded on demand, because most support them. Its request may stay open for as long as the source, so
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
