import { concatenate } from '../src/bytes/binary.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import type { ByteRangeOptions, RandomAccessSource } from '../src/source.js';
import { type ChunkReader, streamReader } from './chunkReader.js';
import { pullStream } from './pullStream.js';
import { randomAccessSource } from './randomAccess.js';
import { beyondEnd, CHUNK_SIZE, checkRange } from './ranges.js';

/** Bytes that a joined source consists of: those of another source, or what is made when it is read. */
export interface JoinedPart {
  readonly length: number;
  read(offset: number, length: number, options: AbortOptions): Promise<Uint8Array>;
  /** The same as a stream, where that is not made of many reads. */
  stream?(offset: number, length: number, options: AbortOptions): ReadableStream<Uint8Array>;
}

export function bytesPart(bytes: Uint8Array): JoinedPart {
  return { length: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}

export function sourcePart(source: RandomAccessSource, start: number, length: number): JoinedPart {
  return {
    length,
    read: (offset, size, options) => source.read(start + offset, size, options),
    stream: (offset, size, { signal }) =>
      source.stream({ start: start + offset, end: start + offset + size, signal }),
  };
}

/** A source of bytes that are in several places, one after another, which are read together. Closing it closes none of them. */
export function joinedSource(
  parts: readonly JoinedPart[],
  name?: string,
): RandomAccessSource & { readonly size: number } {
  const starts: number[] = [];
  let size = 0;
  for (const { length } of parts) {
    starts.push(size);
    size += length;
  }
  const partAt = (offset: number, end: number): Piece => {
    const i = lastAtMost(starts, offset);
    const [part, from] = [parts[i]!, offset - starts[i]!];
    return { part, from, length: Math.min(part.length - from, end - offset) };
  };
  const source = randomAccessSource(
    size,
    async (offset, length, options) => {
      // Memory for the whole is none for parts of it.
      const rest = { signal: options.signal };
      const reads: Promise<Uint8Array>[] = [];
      for (let at = offset; at < offset + length; ) {
        const piece = partAt(at, offset + length);
        reads.push(piece.part.read(piece.from, piece.length, piece.length === length ? options : rest));
        at += piece.length;
      }
      return concatenate(await Promise.all(reads));
    },
    name,
  );
  return { ...source, stream: (options) => streamOf(source, partAt, name, options) };
}

/** What of a range is in one part, from a position on: never empty, because of parts at the same position the last one has bytes. */
interface Piece {
  readonly part: JoinedPart;
  /** Of the part's own bytes. */
  readonly from: number;
  readonly length: number;
}

/** Long parts are streamed, and all others read together, a chunk at a time. */
function streamOf(
  { size, read }: RandomAccessSource & { readonly size: number },
  partAt: (offset: number, end: number) => Piece,
  name: string | undefined,
  options: ByteRangeOptions = {},
): ReadableStream<Uint8Array> {
  const { start, end = Math.max(start, size) } = checkRange(options);
  const { signal } = options;
  let position = start;
  let streamed: ChunkReader | undefined;
  let streamedEnd = start;
  return pullStream(
    {
      async next() {
        if (end > size) throw beyondEnd(end, size, name);
        const inStream = await streamed?.next();
        if (inStream !== undefined) {
          position += inStream.length;
          return inStream;
        }
        // It would be asked again without end.
        if (position < streamedEnd) throw beyondEnd(streamedEnd, position, name);
        streamed = undefined;
        if (position === end) return undefined;
        const { part, from, length } = partAt(position, end);
        if (length > CHUNK_SIZE && part.stream !== undefined) {
          streamedEnd = position + length;
          streamed = streamReader(part.stream(from, length, { signal }));
          // Empty: the next one comes from the stream.
          return new Uint8Array(0);
        }
        const chunk = await read(position, Math.min(CHUNK_SIZE, end - position), { signal });
        position += chunk.length;
        return chunk;
      },
      close: (reason) => streamed?.close?.(reason),
    },
    [signal],
  );
}

/** The index of the last number that is not above `value`. */
function lastAtMost(numbers: readonly number[], value: number): number {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (numbers[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
