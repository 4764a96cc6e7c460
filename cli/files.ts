import { bytesSource } from '../sources/bytes.js';
import { fileSource } from '../sources/file.js';
import { streamSource } from '../sources/stream.js';
import { LimitError } from '../src/errors.js';
import type { ByteSource, RandomAccessSource } from '../src/source.js';

/** The path that means standard input or output. */
export const STANDARD = '-';

/** What standard input may hold where its bytes are not needed in order, and so must stay in memory. */
const MAX_BUFFERED_INPUT = 2 ** 30;

/** A file, or standard input as far as it fits memory. */
export async function openInput(path: string, signal: AbortSignal): Promise<RandomAccessSource> {
  if (path !== STANDARD) return fileSource(path);
  return bytesSource(await collectBytes(standardInput().stream({ signal })));
}

/** Standard input as a stream, read once and in order. */
export function standardInput(): ByteSource {
  return streamSource(process.stdin);
}

/** @throws LimitError when there is more than may be kept in memory */
export async function collectBytes(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream) {
    length += piece.length;
    if (length > MAX_BUFFERED_INPUT) {
      throw new LimitError('standard input does not fit memory; name a file', {
        expected: `at most ${MAX_BUFFERED_INPUT} bytes`,
      });
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

/** The first `length` bytes (fewer when there are no more), and the stream as it was, with them. */
export async function peek(
  stream: ReadableStream<Uint8Array>,
  length: number,
): Promise<{ readonly start: Uint8Array; readonly stream: ReadableStream<Uint8Array> }> {
  const chunks = stream[Symbol.asyncIterator]();
  let start = new Uint8Array(0);
  while (start.length < length) {
    const { done, value } = await chunks.next();
    if (done) break;
    start = Buffer.concat([start, value]);
  }
  const whole = async function* () {
    yield start;
    yield* chunks;
  };
  return { start: start.subarray(0, length), stream: streamSource(whole()).stream() };
}
