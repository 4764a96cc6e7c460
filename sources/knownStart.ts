import { concatenate } from '../src/bytes/binary.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import type { ByteRangeOptions, RandomAccessSource, ReadOptions } from '../src/source.js';
import { streamReader } from './chunkReader.js';
import { pullStream } from './pullStream.js';
import { checkRange, checkRead } from './ranges.js';

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

  get id(): string | undefined {
    return this.#source.id;
  }

  get name(): string | undefined {
    return this.#source.name;
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

  async read(offset: number, length: number, options: ReadOptions = {}): Promise<Uint8Array> {
    const { signal } = checkRead(offset, length, options);
    const known = this.#known;
    if (offset >= known.length) return this.#source.read(offset, length, options);
    signal?.throwIfAborted();
    const end = offset + length;
    if (end <= known.length) return known.slice(offset, end);
    const rest = await this.#source.read(known.length, end - known.length, { signal });
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
