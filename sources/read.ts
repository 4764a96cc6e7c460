import { concatenate } from '../src/bytes/binary.js';
import type { HolostreamError } from '../src/errors.js';
import type { AbortOptions, ByteSource, RandomAccessSource } from '../src/source.js';

/** Bytes that a large range is read by: large enough that requests do not count, small enough to hold many. */
const READ_SIZE = 2 ** 20;

/**
 * All bytes of a stream that is known to give `length` of them (or to fail). The memory is taken with the first
 * chunk: by then the source has found that the range is there.
 */
export async function readExactly(stream: ReadableStream<Uint8Array>, length: number): Promise<Uint8Array> {
  const reader = stream.getReader();
  let bytes: Uint8Array | undefined;
  let filled = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes ?? new Uint8Array(0);
    // The usual small read comes as one chunk, which is the source's to give away.
    if (bytes === undefined && value.length === length) bytes = value;
    else {
      bytes ??= new Uint8Array(length);
      bytes.set(value, filled);
    }
    filled += value.length;
  }
}

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

/** The bytes of a range by one read of a MiB after another: fewer calls to the operating system than a stream makes. */
export async function* readChunks(
  source: RandomAccessSource,
  offset: number,
  length: number,
  { signal }: AbortOptions,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += READ_SIZE) {
    yield await source.read(offset + at, Math.min(READ_SIZE, length - at), { signal });
  }
}
