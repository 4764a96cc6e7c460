import { untilAborted } from './abort.js';
import { type ByteStreamLike, byteReader } from './byteReader.js';

/**
 * Gives the chunks of anything that gives bytes to `take`, the next one when it is done with the last: what `pipeTo` does, without the
 * streams, which take longer than to copy the chunks.
 * @throws what `byteReader` throws; what `take` throws, and the reason of `signal`, when the input has been cancelled with it
 */
export async function eachChunk(
  input: ByteStreamLike,
  take: (chunk: Uint8Array) => Promise<void> | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const reader = byteReader(input);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const next = reader.next();
      const chunk = await (signal === undefined ? next : untilAborted(next, signal));
      if (chunk === undefined) break;
      const taken = take(chunk);
      if (taken !== undefined) await taken;
    }
  } catch (error) {
    // The first error counts.
    await Promise.resolve(reader.close?.(error)).catch(() => {});
    throw error;
  }
  await reader.close?.();
}
