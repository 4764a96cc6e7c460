import type { ChunkReader } from '../platform/byteReader.js';

export type { ChunkReader };

/** A reader of a stream's chunks; closing it cancels the stream. */
export function streamReader(stream: ReadableStream<Uint8Array>): ChunkReader {
  const reader = stream.getReader();
  return {
    next: async () => (await reader.read()).value,
    close: (reason) => reader.cancel(reason),
  };
}
