import { concatenate } from '../src/bytes/concatenate.js';
import type { HolostreamError } from '../src/errors.js';
import type { AbortOptions, ByteSource } from '../src/source.js';

/**
 * All bytes of a small file, streamed, because a server may say only at the end how long it is.
 * @throws what `tooLarge` makes, as soon as there are more than `maxBytes`; the stream has been cancelled then
 */
export async function readWhole(
  source: ByteSource,
  maxBytes: number,
  tooLarge: () => HolostreamError,
  options: AbortOptions,
): Promise<Uint8Array> {
  // Not `for await`: some supported browsers cannot iterate over a ReadableStream.
  const reader = source.stream(options).getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    pieces.push(next.value);
    length += next.value.length;
    if (length > maxBytes) {
      const error = tooLarge();
      await reader.cancel(error);
      throw error;
    }
  }
  return concatenate(pieces);
}
