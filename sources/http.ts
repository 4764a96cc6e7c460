import { SourceChangedError, SourceError } from '../src/errors.js';
import type { AbortOptions, ByteRangeOptions, RandomAccessSource } from '../src/source.js';
import { checkAnswer } from './http/answer.js';
import { bodyReader } from './http/body.js';
import { type ChunkReader, pullStream } from './pullStream.js';
import { type ByteRange, beyondEnd, checkRange, checkRead } from './ranges.js';

export interface HttpSourceOptions {
  /** Makes the requests. Default: the engine's `fetch`. */
  readonly fetch?: typeof fetch | undefined;
  /** Headers of every request, such as `authorization`. */
  readonly headers?: HeadersInit | undefined;
  /** Ends all requests of this source. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A file on a web server. Every request asks for a range, `bytes=0-` for the whole: the answer then says how large
 * the file is, and no proxy compresses it on the way. `size` is undefined until the first answer.
 *
 * @example
 * const source = httpSource('https://example.org/model.hct');
 * const stream = source.stream().pipeThrough(new HctDecoderStream());
 *
 * @throws SourceError from streams and reads: with `status` for an answer that is no 200 or 206, with `retryable`
 * where trying again may help
 */
export function httpSource(url: string | URL, options: HttpSourceOptions = {}): RandomAccessSource {
  return new HttpSource(String(url), options);
}

class HttpSource implements RandomAccessSource {
  readonly #url: string;
  readonly #options: HttpSourceOptions;
  #size: number | undefined;

  constructor(url: string, options: HttpSourceOptions) {
    this.#url = url;
    this.#options = options;
  }

  get size(): number | undefined {
    return this.#size;
  }

  stream(options: ByteRangeOptions = {}): ReadableStream<Uint8Array> {
    return this.#open(checkRange(options), options.signal);
  }

  async read(offset: number, length: number, { signal }: AbortOptions = {}): Promise<Uint8Array> {
    checkRead(offset, length);
    signal?.throwIfAborted();
    if (length === 0) return new Uint8Array(0);
    const stream = this.#open({ start: offset, end: offset + length }, signal).getReader();
    // Allocated with the first byte: by then the server has said that the range is there.
    let bytes: Uint8Array | undefined;
    let filled = 0;
    for (;;) {
      const { done, value } = await stream.read();
      if (done) return bytes!;
      bytes ??= new Uint8Array(length);
      bytes.set(value, filled);
      filled += value.length;
    }
  }

  #open(range: ByteRange, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
    const signals = [signal, this.#options.signal].filter((one) => one !== undefined);
    return pullStream(this.#reader(range), signals.length > 1 ? AbortSignal.any(signals) : signals[0]);
  }

  /** Sends the request when the first chunk is asked for; closing it ends the request, at any point. */
  #reader(range: ByteRange): ChunkReader {
    const abort = new AbortController();
    let body: ChunkReader | undefined;
    return {
      next: async () => {
        if (range.start === range.end) return undefined;
        const { end = 0 } = range;
        if (this.#size !== undefined && end > this.#size) throw beyondEnd(end, this.#size, this.#url);
        body ??= await this.#request(range, abort.signal);
        return body.next();
      },
      close: async (reason) => {
        // Ends the request itself, wherever it is; cancelling the body alone would let the connection run on.
        abort.abort(reason);
      },
    };
  }

  async #request(range: ByteRange, signal: AbortSignal): Promise<ChunkReader> {
    const headers = new Headers(this.#options.headers);
    headers.set('range', `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}`);
    const request = this.#options.fetch ?? fetch;
    const response = await request(this.#url, { headers, signal }).catch((cause) => {
      throw new SourceError('request failed', { name: this.#url, retryable: true, cause });
    });
    try {
      const answer = checkAnswer(response, range, this.#url);
      this.#pinSize(answer.size);
      return bodyReader(answer, range, this.#url);
    } catch (error) {
      // Nobody will read the body: without this its connection would stay open.
      await response.body?.cancel().catch(() => {});
      throw error;
    }
  }

  #pinSize(size: number | undefined): void {
    if (size === undefined) return;
    if (this.#size !== undefined && this.#size !== size) {
      throw new SourceChangedError('file changed its size', {
        name: this.#url,
        expected: this.#size,
        actual: size,
      });
    }
    this.#size = size;
  }
}
