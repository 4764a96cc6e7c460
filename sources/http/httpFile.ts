import { onAbort } from '../../src/abort.js';
import { SourceChangedError, TruncatedError } from '../../src/errors.js';
import type { AbortOptions } from '../../src/source.js';
import type { ChunkReader } from '../pullStream.js';
import { type ByteRange, beyondEnd } from '../ranges.js';
import { StreamedSource } from '../streamedSource.js';
import { bodyReader, WholeBody } from './body.js';
import { HttpRequest, type HttpRequestOptions } from './request.js';
import { checkResponse } from './response.js';
import { agrees, ifRangeOf, strongest, type Validator, validatorOf } from './validator.js';

export interface HttpFileOptions extends HttpRequestOptions {
  /** Ends all requests. */
  readonly signal: AbortSignal | undefined;
  /** Most bytes kept in memory when a server does not support ranges. */
  readonly maxBuffered: number;
}

/** One URL, without retries. The first response pins what the file is; later ones must agree. */
export class HttpFile extends StreamedSource {
  readonly #url: string;
  readonly #options: HttpFileOptions;
  #size: number | undefined;
  #validator: Validator | undefined;
  #ifRange: string | undefined;
  #whole: WholeBody | undefined;
  /** Settles with the request under way that will be the first to get a response. */
  #first: Promise<void> | undefined;

  constructor(url: string, options: HttpFileOptions) {
    super(options.signal);
    this.#url = url;
    this.#options = options;
  }

  get size(): number | undefined {
    return this.#size;
  }

  async version({ signal }: AbortOptions = {}): Promise<string | undefined> {
    // A GET of one byte, not HEAD: servers and signed URLs often treat HEAD differently.
    if (this.#validator === undefined) {
      await this.read(0, 1, { signal }).catch((error) => {
        // An empty file has a response, too.
        if (!(error instanceof TruncatedError)) throw error;
      });
    }
    const strong = this.#validator === undefined ? undefined : strongest(this.#validator);
    return strong === undefined ? undefined : `${this.#url}\n${strong}\n${this.#size}`;
  }

  override async close(): Promise<void> {
    await super.close();
    this.#whole?.close();
  }

  protected async open(range: ByteRange, signal: AbortSignal): Promise<ChunkReader> {
    if (range.start === range.end) return { next: async () => undefined };
    if (this.#size !== undefined && (range.end ?? range.start) > this.#size) {
      throw beyondEnd(range.end ?? range.start, this.#size, this.#url);
    }
    const request = new HttpRequest(this.#url, range, this.#options);
    const remove = onAbort(signal, (reason) => request.close(reason));
    try {
      return await this.#afterFirst(() => this.#connect(request));
    } catch (error) {
      request.close(error);
      throw error;
    } finally {
      remove();
    }
  }

  async #connect(request: HttpRequest): Promise<ChunkReader> {
    const { range } = request;
    if (this.#whole !== undefined) return this.#fromWhole(this.#whole, range);
    const response = await request.send(this.#ifRange);
    const checked = checkResponse(response, range, this.#url);
    this.#pin(response, checked.size);
    const partWanted = range.end !== undefined && (range.start > 0 || range.end !== checked.size);
    if (checked.ranges || !partWanted) return bodyReader(request, checked);
    // Every read of a part would fetch the file again: keep it. Another request may have begun to do so meanwhile.
    if (this.#whole !== undefined) request.close();
    else this.#whole = new WholeBody(request, checked.size, this.#options.maxBuffered);
    return this.#fromWhole(this.#whole, range);
  }

  /**
   * Until the first response arrives, requests are sent one at a time: it tells whether the server supports ranges, and
   * which version of the file later responses must match.
   */
  async #afterFirst<T>(send: () => Promise<T>): Promise<T> {
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

  #pin(response: Response, size: number | undefined): void {
    const validator = validatorOf(response.headers);
    const changed = (what: string, expected: unknown, actual: unknown) =>
      new SourceChangedError(`Cannot continue to read the file: file changed, by its ${what}`, {
        name: this.#url,
        expected,
        actual,
      });
    if (this.#validator === undefined) {
      this.#validator = validator;
      this.#ifRange = ifRangeOf(response);
    } else if (!agrees(this.#validator, validator)) {
      throw changed('validator', strongest(this.#validator), strongest(validator));
    }
    if (size !== undefined && this.#size !== undefined && this.#size !== size) {
      throw changed('size', this.#size, size);
    }
    this.#size ??= size;
  }
}
