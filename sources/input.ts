import type { SourceInput } from '../platform/byteReader.js';
import type { RandomAccessSource } from '../src/source.js';

/**
 * Opens something over an input, such as a reader. What had to be opened for that is closed when it fails; when it
 * succeeds, that is left to what has been opened. A source of the caller's stays open in any case.
 * @throws ArgumentError for what no bytes come from; SourceError; what `open` throws
 */
export async function withSource<T>(
  input: SourceInput,
  open: (source: RandomAccessSource) => Promise<T>,
): Promise<T> {
  if (isSource(input)) return open(input);
  const { openSource } = await import('./openSourceOnDemand.js');
  const source = await openSource(input);
  try {
    return await open(source);
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

/** Reads something from an input. What had to be opened for that is closed at the end. */
export async function readInput<T>(
  input: SourceInput,
  read: (source: RandomAccessSource) => Promise<T>,
): Promise<T> {
  let opened: RandomAccessSource | undefined;
  const result = await withSource(input, (source) => {
    if (source !== input) opened = source;
    return read(source);
  });
  await opened?.close?.();
  return result;
}

/** A stream of Node has `read`, too, and can be iterated. */
export function isSource(input: SourceInput): input is RandomAccessSource {
  const { read } = Object(input) as Partial<RandomAccessSource>;
  return typeof read === 'function' && !(Symbol.asyncIterator in Object(input));
}
