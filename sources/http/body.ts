import { LimitError, SourceError } from '../../src/errors.js';
import type { ChunkReader } from '../pullStream.js';
import { type ByteRange, beyondEnd, CHUNK_SIZE } from '../ranges.js';
import type { HttpRequest } from './request.js';
import type { RangeResponse } from './response.js';

/**
 * The requested bytes that are in a body, which may begin before them and end after them. The announced length is
 * enforced: a body that ends early is an error that a retry resumes from.
 */
export function bodyReader(request: HttpRequest, response: RangeResponse): ChunkReader {
  const { range, url: name } = request;
  const { size, complete, end: bodyEnd = Number.POSITIVE_INFINITY } = response;
  const end = Math.min(range.end ?? Infinity, size ?? Infinity, bodyEnd);
  let position = response.start;
  return {
    async next() {
      while (position < end) {
        const chunk = await request.chunk(position);
        if (chunk === undefined) return checkEnd();
        const from = Math.max(0, range.start - position);
        const to = Math.min(chunk.length, end - position);
        position += chunk.length;
        if (from < chunk.length) return chunk.subarray(from, to);
      }
      // All of the body is here, and its end is about to be: a request that has ended leaves its connection usable.
      if (position === bodyEnd) await request.chunk(position);
      if (complete && range.end !== undefined && position < range.end) {
        throw beyondEnd(range.end, position, name);
      }
      return undefined;
    },
    close: (reason) => request.close(reason),
  };

  function checkEnd(): undefined {
    if (bodyEnd !== Number.POSITIVE_INFINITY) {
      throw new SourceError('Cannot read the whole response: its body ended early', {
        name,
        retryable: true,
        expected: end,
        actual: position,
      });
    }
    const needed = range.end ?? range.start;
    if (position < needed) throw beyondEnd(needed, position, name);
    return undefined;
  }
}

/**
 * The body from a server that ignores ranges and sends the whole file: fetched once, up to the last byte that is read,
 * and kept in memory, so every range is served from it.
 */
export class WholeBody {
  readonly #request: HttpRequest;
  readonly #maxSize: number;
  #size: number | undefined;
  #buffer = new Uint8Array(0);
  #length = 0;
  #ended = false;
  /** The chunk under way; all readers that need more wait for it. */
  #pending: Promise<void> | undefined;

  /** @param size bytes of the file as announced; not relied on */
  constructor(request: HttpRequest, size: number | undefined, maxSize: number) {
    this.#request = request;
    this.#size = size;
    this.#maxSize = maxSize;
  }

  reader({ start, end }: ByteRange): ChunkReader {
    let position = start;
    return {
      next: async () => {
        if (position === end) return undefined;
        while (this.#length <= position && !this.#ended) await this.#more();
        if (this.#length <= position) {
          const needed = end ?? start;
          if (position < needed) throw beyondEnd(needed, this.#length, this.#request.url);
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

  close(reason?: unknown): void {
    this.#request.close(reason);
  }

  async #more(): Promise<void> {
    this.#pending ??= this.#fetch().finally(() => {
      this.#pending = undefined;
    });
    await this.#pending;
  }

  async #fetch(): Promise<void> {
    const chunk = await this.#request.chunk(this.#length);
    if (chunk === undefined) return this.#end();
    const length = this.#length + chunk.length;
    if (length > this.#maxSize) {
      this.close();
      throw new LimitError(
        'Cannot keep the file in memory: the server takes no ranges, and the file is too large (option maxBuffered)',
        {
          name: this.#request.url,
          expected: `at most ${this.#maxSize} bytes`,
          actual: this.#size ?? length,
        },
      );
    }
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(Math.min(this.#maxSize, Math.max(length, 2 * this.#buffer.length)));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
    if (length === this.#size) this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.close();
    if (this.#size !== undefined && this.#length < this.#size) {
      throw new SourceError('Cannot read the whole response: its body ended early', {
        name: this.#request.url,
        retryable: true,
        expected: this.#size,
        actual: this.#length,
      });
    }
  }
}
