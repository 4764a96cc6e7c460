import type { ChunkReader } from '../platform/byteReader.js';
import { allocating } from '../src/checks/limits.js';
import type { HolostreamError } from '../src/errors.js';
import { type ByteRange, beyondEnd, CHUNK_SIZE } from './ranges.js';

/** Most bytes of a stream that are kept in memory to read parts of it: 1 GiB. */
export const DEFAULT_MAX_KEPT = 2 ** 30;

export interface KeepOptions {
  /** Most bytes to keep. */
  readonly maxSize: number;
  /** Bytes as announced, if they are: more are not asked for. */
  readonly size?: number | undefined;
  /** Of the file, for errors. */
  readonly name?: string | undefined;
  /** The error for more than `maxSize` bytes. */
  readonly tooLarge: (actual: number) => HolostreamError;
}

/**
 * The bytes of a stream, fetched once, up to the last byte that is read, and kept in memory, so every range is served from
 * them.
 */
export class KeptBytes {
  readonly #chunks: ChunkReader;
  readonly #options: KeepOptions;
  #buffer = new Uint8Array(0);
  #length = 0;
  #ended = false;
  #closed = false;
  /** The chunk under way; all readers that need more wait for it. When it has failed, all later ones fail so, too. */
  #pending: Promise<void> | undefined;

  constructor(chunks: ChunkReader, options: KeepOptions) {
    this.#chunks = chunks;
    this.#options = options;
  }

  /** Bytes that have arrived. */
  get length(): number {
    return this.#length;
  }

  /** All bytes; undefined before the end. */
  get size(): number | undefined {
    return this.#ended ? this.#length : undefined;
  }

  reader({ start, end }: ByteRange): ChunkReader {
    let position = start;
    return {
      next: async () => {
        if (position === end) return undefined;
        while (this.#length <= position && !this.#ended) await this.#more();
        if (this.#length <= position) {
          const needed = end ?? start;
          if (position < needed) throw beyondEnd(needed, this.#length, this.#options.name);
          return undefined;
        }
        const to = Math.min(this.#length, position + CHUNK_SIZE, end ?? Infinity);
        // A copy: the caller may write to its chunk or transfer it.
        const chunk = this.#buffer.slice(position, to);
        position = to;
        return chunk;
      },
    };
  }

  /** Ends the stream; what has arrived can still be read. */
  async close(reason?: unknown): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#chunks.close?.(reason);
  }

  #more(): Promise<void> {
    this.#pending ??= this.#fetch().then(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #fetch(): Promise<void> {
    const { size, maxSize, tooLarge } = this.#options;
    const chunk = await this.#chunks.next();
    if (chunk === undefined) return this.#end();
    const length = this.#length + chunk.length;
    if (length > maxSize) {
      const error = tooLarge(size ?? length);
      this.close(error).catch(() => {});
      throw error;
    }
    if (length > this.#buffer.length) {
      const room = Math.min(maxSize, Math.max(length, 2 * this.#buffer.length));
      const grown = allocating(() => new Uint8Array(room));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
    if (length === size) this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.close().catch(() => {});
  }
}
