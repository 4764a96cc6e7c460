import { byteReader, type ChunkReader } from '../platform/byteReader.js';
import { ArgumentError, SourceError } from '../src/errors.js';
import type { ByteRangeOptions, RandomAccessSource } from '../src/source.js';
import { pullStream } from './pullStream.js';
import { randomAccessSource } from './randomAccess.js';
import { beyondEnd, checkRange } from './ranges.js';

/**
 * A Blob or File (a drop, an `<input type=file>`, a file of the origin-private file system), or a Blob of a library that fetches its
 * bytes on demand, as a source. Only what is asked for is read into memory.
 *
 * @throws ArgumentError for anything else
 * @throws SourceError from its streams and reads, when the file has changed or gone since it was picked
 */
export function blobSource(blob: Blob): RandomAccessSource & { readonly size: number } {
  if (!isBlob(blob)) throw new ArgumentError('Cannot read the blob: it is not a Blob', { actual: blob });
  // A File has a name; File itself is not a global in every engine.
  const name = 'name' in blob ? String(blob.name) : undefined;
  const { size } = blob;
  const source = randomAccessSource(
    size,
    async (offset, length) => {
      const read = async () => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      const bytes = await reading(read, name, offset);
      if (bytes.length !== length) throw notAsLong(name, offset, length, bytes.length);
      return bytes;
    },
    name,
  );
  if (!streamsOnItsOwn(blob)) return source;
  return { ...source, stream: (options) => streamOf(blob, size, name, options) };
}

/**
 * Whether it is of a class of a library that streams its bytes in its own way, such as from a server: then, a request for
 * each chunk would cost more. Streams of the engine's own blobs can be one chunk of any size.
 */
function streamsOnItsOwn(blob: object): boolean {
  const parent: object | null = Object.getPrototypeOf(blob);
  if (parent === null) return false;
  return Object.hasOwn(blob, 'stream') ? 'stream' in parent : streamsOnItsOwn(parent);
}

function streamOf(
  blob: Blob,
  size: number,
  name: string | undefined,
  options: ByteRangeOptions = {},
): ReadableStream<Uint8Array> {
  const { start, end = Math.max(start, size) } = checkRange(options);
  let position = start;
  let chunks: ChunkReader | undefined;
  return pullStream(
    {
      async next() {
        if (end > size) throw beyondEnd(end, size, name);
        if (position === end) return undefined;
        // Some begin to fetch their bytes at once.
        chunks ??= byteReader(blob.slice(start, end));
        const chunk = await reading(chunks.next, name, position);
        const left = end - position;
        if (chunk === undefined || chunk.length > left)
          throw notAsLong(name, position, left, chunk?.length ?? 0);
        position += chunk.length;
        return chunk;
      },
      close: (reason) => chunks?.close?.(reason),
    },
    [options.signal],
  );
}

async function reading<T>(read: () => Promise<T>, name: string | undefined, offset: number): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new SourceError('Cannot read the blob', { file: name, offset, cause });
  }
}

/** Of a blob that asks a server: it may not give what it was asked for. */
function notAsLong(name: string | undefined, offset: number, expected: number, actual: number): SourceError {
  const details = { file: name, offset, expected: `${expected} bytes`, actual };
  return new SourceError('Cannot read the blob: it gives another number of bytes', details);
}

/** Parts of it can be read: by its methods, because other realms and runtimes have classes of their own. */
export function isBlob(input: unknown): input is Blob {
  const { slice, arrayBuffer, size } = (input ?? {}) as Partial<Blob>;
  return typeof slice === 'function' && typeof arrayBuffer === 'function' && typeof size === 'number';
}
