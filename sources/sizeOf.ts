import type { AbortOptions } from '../src/checks/abortOptions.js';
import type { RandomAccessSource } from '../src/source.js';
import { streamReader } from './chunkReader.js';

/**
 * The size of a source's file. One that does not know it, such as a stream, is read to its end.
 * @param start bytes that it is known to have
 */
export async function sizeOf(
  source: RandomAccessSource,
  start: number,
  { signal }: AbortOptions,
): Promise<number> {
  if (source.size !== undefined) return source.size;
  const reader = streamReader(source.stream({ start, signal }));
  let size = start;
  for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next())
    size += chunk.length;
  return size;
}
