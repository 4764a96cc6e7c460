import { nextTurn } from '../src/async/steps.js';
import { concatenate } from '../src/bytes/binary.js';
import { withRoom } from '../src/bytes/room.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { type HolostreamError, TruncatedError } from '../src/errors.js';
import type { ByteSource, RandomAccessSource } from '../src/source.js';
import { streamReader } from './chunkReader.js';
import { beyondEnd } from './ranges.js';

/**
 * Bytes of one read of a large range: large enough to make the cost of requests negligible, small enough to hold many.
 */
const READ_SIZE = 2 ** 20;

/** Most bytes that are allocated because a source says that it has them; more, only as fast as they arrive. */
const TRUSTED_SIZE = 2 ** 26;

/**
 * All bytes of a stream that is known to give `length` of them (or to fail). Memory is allocated with the first chunk:
 * by then the source has checked that the range exists, as far as it knows: a server may lie about the size of its file.
 */
export async function readExactly(stream: ReadableStream<Uint8Array>, length: number): Promise<Uint8Array> {
  const reader = stream.getReader();
  let bytes: Uint8Array | undefined;
  let filled = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done && filled < length) throw beyondEnd(length, filled);
    if (done) return bytes ?? new Uint8Array(0);
    // A small read usually arrives as one chunk, which the source does not use again.
    if (bytes === undefined && value.length === length) bytes = value;
    else {
      const most = Math.max(2 * filled, TRUSTED_SIZE);
      bytes = withRoom(bytes ?? new Uint8Array(0), filled + value.length, length, most);
      bytes.set(value, filled);
    }
    filled += value.length;
    await nextTurn();
  }
}

/**
 * The first `length` bytes, or all of a shorter file, in one request: of a file on a server, the size is unknown before.
 * @throws what the source throws, but no TruncatedError
 */
export async function readStart(
  source: RandomAccessSource,
  length: number,
  { signal }: AbortOptions,
): Promise<Uint8Array> {
  if (source.size !== undefined) return source.read(0, Math.min(length, source.size), { signal });
  const reader = streamReader(source.stream({ start: 0, end: length, signal }));
  const chunks: Uint8Array[] = [];
  try {
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next())
      chunks.push(chunk);
  } catch (error) {
    if (!(error instanceof TruncatedError)) throw error;
    // All that there is has come before, unless the source asks first how large the file is.
    if (chunks.length === 0 && (source.size ?? 0) > 0) return readStart(source, length, { signal });
  }
  return concatenate(chunks);
}

/**
 * All bytes of a small file, streamed, because a server may say only at the end how long it is.
 * @throws what `tooLarge` makes, as soon as there are more than `maxBytes`; it cancels the stream before
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

/** Reads bytes to fill `out`, which the source may do itself. */
export async function readInto(
  source: RandomAccessSource,
  offset: number,
  out: Uint8Array,
  { signal }: AbortOptions,
): Promise<void> {
  const bytes = await source.read(offset, out.length, { signal, into: out });
  if (bytes !== out) out.set(bytes);
}

/** The bytes of a range, one MiB per read: fewer calls to the operating system than a stream makes. */
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
