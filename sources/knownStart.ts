import { concatenate } from '../src/bytes/binary.js';
import { TruncatedError } from '../src/errors.js';
import type { AbortOptions, ByteRangeOptions, RandomAccessSource } from '../src/source.js';
import { pullStream, streamReader } from './pullStream.js';
import { checkRange, checkRead } from './ranges.js';

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

/** The same source, whose first bytes are in memory: they are not read again. */
export function withKnownStart(source: RandomAccessSource, known: Uint8Array): RandomAccessSource {
  return new KnownStartSource(source, known);
}

class KnownStartSource implements RandomAccessSource {
  readonly #source: RandomAccessSource;
  readonly #known: Uint8Array;

  constructor(source: RandomAccessSource, known: Uint8Array) {
    this.#source = source;
    this.#known = known;
  }

  get size(): number | undefined {
    return this.#source.size;
  }

  stream(options: ByteRangeOptions = {}): ReadableStream<Uint8Array> {
    const { start, end = this.size } = checkRange(options);
    const { length } = this.#known;
    if (start >= length) return this.#source.stream(options);
    let given = false;
    const rest = end !== undefined && end <= length ? undefined : this.#rest(options);
    return pullStream(
      {
        next: async () => {
          if (given) return rest?.next();
          given = true;
          // A copy: the caller may write to its chunk or transfer it.
          return this.#known.slice(start, end);
        },
        close: (reason) => rest?.close?.(reason),
      },
      [options.signal],
    );
  }

  async read(offset: number, length: number, options: AbortOptions = {}): Promise<Uint8Array> {
    checkRead(offset, length);
    const known = this.#known;
    if (offset >= known.length) return this.#source.read(offset, length, options);
    options.signal?.throwIfAborted();
    const end = offset + length;
    if (end <= known.length) return known.slice(offset, end);
    const rest = await this.#source.read(known.length, end - known.length, options);
    return concatenate([known.subarray(offset), rest]);
  }

  async version(options?: AbortOptions): Promise<string | undefined> {
    return this.#source.version?.(options);
  }

  async close(): Promise<void> {
    await this.#source.close?.();
  }

  #rest(options: ByteRangeOptions) {
    return streamReader(this.#source.stream({ ...options, start: this.#known.length }));
  }
}
