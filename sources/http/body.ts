import { SourceError } from '../../src/errors.js';
import type { ChunkReader } from '../pullStream.js';
import { type ByteRange, beyondEnd } from '../ranges.js';
import type { RangeAnswer } from './answer.js';

/**
 * The bytes of `range` out of the body of an answer that may begin before it and go on behind it. The length that
 * was promised is enforced: a body that ends early is an error that can be resumed from.
 */
export function bodyReader(answer: RangeAnswer, range: ByteRange, name: string): ChunkReader {
  const reader = answer.body?.getReader();
  const size = answer.size;
  const wanted = range.end ?? size;
  // Where the body must reach; unknown where neither the caller nor the server says.
  const end = wanted === undefined || size === undefined ? wanted : Math.min(wanted, size);
  const bodyEnd = answer.start + (answer.bodyLength ?? Number.NaN);
  let position = answer.start;
  return {
    async next() {
      while (end === undefined || position < end) {
        const chunk = await readBody(reader, name, position);
        if (chunk === undefined) return checkEnd();
        const from = Math.max(0, range.start - position);
        const to = end === undefined ? chunk.length : end - position;
        position += chunk.length;
        if (from < chunk.length) return chunk.subarray(from, to);
      }
      if (range.end !== undefined && position < range.end) throw beyondEnd(range.end, position, name);
      // All of the body is here, and its end is about to be: a request that has ended leaves its connection usable.
      if (position === bodyEnd) await readBody(reader, name, position);
      return undefined;
    },
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

async function readBody(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  name: string,
  offset: number,
): Promise<Uint8Array | undefined> {
  try {
    return (await reader?.read())?.value;
  } catch (cause) {
    throw new SourceError('connection broke', { name, offset, retryable: true, cause });
  }
}
