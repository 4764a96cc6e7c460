import { SourceChangedError, TruncatedError } from '../../src/errors.js';
import type { AbortOptions, ByteRangeOptions, RandomAccessSource } from '../../src/source.js';
import { type ChunkReader, pullStream } from '../pullStream.js';
import { type ByteRange, beyondEnd, checkRange, checkRead } from '../ranges.js';
import { readExactly } from '../readExactly.js';
import { closedError, signalsOf } from '../signals.js';
import { bodyReader } from './body.js';
import { HttpRequest, type HttpRequestOptions } from './request.js';
import { checkResponse, type RangeResponse } from './response.js';
import { agrees, ifRangeOf, strongest, type Validator, validatorOf } from './validator.js';
import { WholeBody } from './wholeBody.js';

export interface HttpFileOptions extends HttpRequestOptions {
  /** Ends all requests. */
  readonly signal: AbortSignal | undefined;
  /** Most bytes kept in memory of a server that takes no ranges. */
  readonly maxBuffered: number;
}

/** One URL, without second attempts. The first answer pins what the file is; later ones must agree. */
export class HttpFile implements RandomAccessSource {
  readonly #url: string;
  readonly #options: HttpFileOptions;
  readonly #closed = new AbortController();
  #size: number | undefined;
  #validator: Validator | undefined;
  #ifRange: string | undefined;
  #whole: WholeBody | undefined;
  /** Settles with the request under way that will be the first to be answered. */
  #first: Promise<void> | undefined;

  constructor(url: string, options: HttpFileOptions) {
    this.#url = url;
    this.#options = options;
  }

  get size(): number | undefined {
    return this.#size;
  }

  stream(options: ByteRangeOptions = {}): ReadableStream<Uint8Array> {
    const signals = signalsOf(options.signal, this.#options.signal, this.#closed.signal);
    return pullStream(this.#reader(checkRange(options)), signals);
  }

  async read(offset: number, length: number, { signal }: AbortOptions = {}): Promise<Uint8Array> {
    checkRead(offset, length);
    return readExactly(this.stream({ start: offset, end: offset + length, signal }), length);
  }

  async version({ signal }: AbortOptions = {}): Promise<string | undefined> {
    // A GET of one byte, not HEAD: servers and signed URLs often treat HEAD differently.
    if (this.#validator === undefined) {
      await this.read(0, 1, { signal }).catch((error) => {
        // An empty file has an answer, too.
        if (!(error instanceof TruncatedError)) throw error;
      });
    }
    const strong = this.#validator === undefined ? undefined : strongest(this.#validator);
    return strong === undefined ? undefined : `${this.#url}\n${strong}\n${this.#size}`;
  }

  async close(): Promise<void> {
    this.#closed.abort(closedError());
    this.#whole?.close();
  }

  /** Sends the request when the first chunk is asked for; closing it ends the request, at any point. */
  #reader(range: ByteRange): ChunkReader {
    const request = new HttpRequest(this.#url, range, this.#options);
    let reader: ChunkReader | undefined;
    return {
      next: async () => {
        if (range.start === range.end) return undefined;
        reader ??= await this.#open(request);
        return reader.next();
      },
      close: (reason) => (reader === undefined ? request.close(reason) : reader.close?.(reason)),
    };
  }

  async #open(request: HttpRequest): Promise<ChunkReader> {
    const { range } = request;
    if (this.#size !== undefined && (range.end ?? range.start) > this.#size) {
      throw beyondEnd(range.end ?? range.start, this.#size, this.#url);
    }
    return this.#inTurn(() => this.#connect(request));
  }

  async #connect(request: HttpRequest): Promise<ChunkReader> {
    const { range } = request;
    if (this.#whole !== undefined) return this.#fromWhole(this.#whole, range);
    const response = await request.send(this.#ifRange);
    const answer = checkResponse(response, range, this.#url);
    this.#pin(answer, response);
    const partWanted = range.end !== undefined && (range.start > 0 || range.end !== answer.size);
    if (answer.ranges || !partWanted) return bodyReader(request, answer);
    // Reads of parts would each fetch the file again: keep it. Another request may have begun to meanwhile.
    if (this.#whole !== undefined) request.close();
    else this.#whole = new WholeBody(request, answer.size, this.#options.maxBuffered);
    return this.#fromWhole(this.#whole, range);
  }

  /**
   * Until the first answer is there, one request goes at a time: it tells whether the server takes ranges, and what
   * the others have to agree with.
   */
  async #inTurn<T>(send: () => Promise<T>): Promise<T> {
    while (this.#validator === undefined && this.#first !== undefined) await this.#first;
    const sending = send();
    if (this.#validator !== undefined) return sending;
    const first = sending.then(
      () => {},
      () => {},
    );
    this.#first = first;
    try {
      return await sending;
    } finally {
      if (this.#first === first) this.#first = undefined;
    }
  }

  #fromWhole(whole: WholeBody, range: ByteRange): ChunkReader {
    const reader = whole.reader(range);
    return {
      next: async () => {
        try {
          return await reader.next();
        } catch (error) {
          // The next read begins a new request.
          whole.close();
          if (this.#whole === whole) this.#whole = undefined;
          throw error;
        }
      },
    };
  }

  #pin(answer: RangeResponse, response: Response): void {
    const validator = validatorOf(response.headers);
    const changed = (what: string, expected: unknown, actual: unknown) =>
      new SourceChangedError(`file changed: ${what}`, { name: this.#url, expected, actual });
    if (this.#validator === undefined) {
      this.#validator = validator;
      this.#ifRange = ifRangeOf(response);
    } else if (!agrees(this.#validator, validator)) {
      throw changed('validator', strongest(this.#validator), strongest(validator));
    }
    if (answer.size !== undefined && this.#size !== undefined && this.#size !== answer.size) {
      throw changed('size', this.#size, answer.size);
    }
    this.#size ??= answer.size;
  }
}
