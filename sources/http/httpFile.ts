import { onAbort } from '../../platform/abort.js';
import { type AbortOptions, checkAbort } from '../../src/checks/abortOptions.js';
import { SourceChangedError, SourceError, TruncatedError } from '../../src/errors.js';
import type { ChunkReader } from '../chunkReader.js';
import type { KeptBytes } from '../kept.js';
import { type ByteRange, beyondEnd } from '../ranges.js';
import { PROGRESS_BYTES } from '../retry.js';
import { StreamedSource } from '../streamedSource.js';
import { bodyReader } from './body.js';
import { HttpRequest, type HttpRequestOptions, type HttpTarget } from './request.js';
import { checkResponse, type RangeResponse, unusable } from './response.js';
import {
  agrees,
  ifRangeOf,
  strongest,
  type ValidateOption,
  type Validator,
  validatorOf,
} from './validator.js';

export interface HttpFileOptions extends HttpRequestOptions {
  /** Ends all requests. */
  readonly signal?: AbortSignal | undefined;
  /** Most bytes kept in memory when a server does not support ranges. */
  readonly maxBuffered: number;
  readonly validate: ValidateOption;
}

/**
 * Responses in a row that may end early without progress. Some are honest (the end of a server's block), but a server that
 * sends one byte per response would be asked without end.
 */
const MAX_SHORT_RESPONSES = 4;

/** The bytes of one response. */
interface Part extends ChunkReader {
  /** False: the server cut the range short, and the rest must be requested. */
  readonly complete: boolean;
}

/** One URL, without retries. The first response pins what the file is; later ones must agree. */
export class HttpFile extends StreamedSource {
  readonly #url: string;
  readonly #target: HttpTarget;
  readonly #options: HttpFileOptions;
  #size: number | undefined;
  #validator: Validator | undefined;
  #ifRange: string | undefined;
  #whole: KeptBytes | undefined;
  /** Settles with the request under way that will be the first to get a response. */
  #first: Promise<void> | undefined;

  constructor(url: string, options: HttpFileOptions) {
    super(options.signal);
    this.#url = url;
    this.#target = { url };
    this.#options = options;
  }

  get id(): string {
    return this.#url;
  }

  get size(): number | undefined {
    return this.#size;
  }

  async version(options: AbortOptions = {}): Promise<string | undefined> {
    const { signal } = checkAbort(options);
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
    await this.#whole?.close();
  }

  /** One response after the other, until the whole range has arrived: servers may cut ranges short. */
  protected async open(range: ByteRange, signal: AbortSignal): Promise<ChunkReader> {
    if (range.start === range.end) return { next: async () => undefined };
    let position = range.start;
    let part = await this.#openPart(range, signal);
    let partStart = position;
    let short = 0;
    return {
      next: async () => {
        for (;;) {
          const chunk = await part.next();
          position += chunk?.length ?? 0;
          if (chunk !== undefined || part.complete || position === range.end) return chunk;
          await part.close?.();
          short = position - partStart < PROGRESS_BYTES ? short + 1 : 0;
          if (short > MAX_SHORT_RESPONSES) throw this.#tooShort(position - partStart, position);
          const next = await this.#nextPart({ start: position, end: range.end }, signal);
          if (next === undefined) return undefined;
          part = next;
          partStart = position;
          // The stream may have been cancelled meanwhile.
          if (signal.aborted) await part.close?.(signal.reason);
          signal.throwIfAborted();
        }
      },
      close: (reason) => part.close?.(reason),
    };
  }

  /** What follows a response that ended early; undefined when the file ends there. */
  async #nextPart({ start, end }: ByteRange, signal: AbortSignal): Promise<Part | undefined> {
    try {
      return await this.#openPart({ start, end }, signal);
    } catch (error) {
      // Of a file whose size the server does not know, "there is no such range" says that it is over.
      if (this.#size !== undefined || !(error instanceof SourceError) || error.status !== 416) throw error;
      if (end !== undefined) throw beyondEnd(end, start, this.#url);
      return undefined;
    }
  }

  async #openPart(range: ByteRange, signal: AbortSignal): Promise<Part> {
    if (this.#size !== undefined && (range.end ?? range.start) > this.#size) {
      throw beyondEnd(range.end ?? range.start, this.#size, this.#url);
    }
    const request = new HttpRequest(this.#target, range, this.#options);
    const remove = onAbort(signal, (reason) => request.close(reason));
    try {
      return await this.#afterFirst(() => this.#connect(request, signal));
    } catch (error) {
      request.close(error);
      throw error;
    } finally {
      remove();
    }
  }

  #tooShort(actual: number, offset: number): SourceError {
    return new SourceError('Cannot read from the server: its responses are too short', {
      file: this.#url,
      offset,
      retryable: true,
      expected: `at least ${PROGRESS_BYTES} bytes`,
      actual,
    });
  }

  async #connect(request: HttpRequest, signal: AbortSignal): Promise<Part> {
    const { range } = request;
    if (this.#whole !== undefined) return this.#fromWhole(this.#whole, range);
    const checked = await this.#send(request);
    const partWanted = range.end !== undefined && (range.start > 0 || range.end !== checked.size);
    if (checked.ranges || !partWanted) return { ...bodyReader(request, checked), complete: checked.complete };
    // Every read of a part would fetch the file again: keep it. Another request may have begun to do so meanwhile.
    const { wholeBody } = await import('./wholeBody.js');
    // Then the body has ended, and would be kept for others.
    signal.throwIfAborted();
    if (this.#whole !== undefined) request.close();
    else this.#whole = wholeBody(request, checked.size, this.#options.maxBuffered);
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

  /** Sends a request; where the response says nothing of what it holds, another one for the whole file. */
  async #send(request: HttpRequest): Promise<RangeResponse> {
    const { asked } = request;
    const response = await request.send(this.#ifRange);
    let checked = checkResponse(response, asked, this.#url, this.#size);
    if (checked !== undefined) {
      this.#pin(response, checked.size);
      return checked;
    }
    const whole = await request.sendPlain();
    checked = checkResponse(whole, { start: 0, end: undefined }, this.#url, this.#size);
    if (checked === undefined || checked.ranges) throw unusable(response, asked, this.#url);
    this.#pin(whole, checked.size);
    return checked;
  }

  #fromWhole(whole: KeptBytes, range: ByteRange): Part {
    const reader = whole.reader(range);
    return {
      complete: true,
      next: async () => {
        try {
          return await reader.next();
        } catch (error) {
          // The next read begins a new request.
          void whole.close();
          if (this.#whole === whole) this.#whole = undefined;
          throw error;
        }
      },
    };
  }

  #pin(response: Response, size: number | undefined): void {
    const validator = validatorOf(response.headers, this.#options.validate);
    const changed = (what: string, expected: unknown, actual: unknown) =>
      new SourceChangedError(`Cannot continue to read the file: file changed, by its ${what}`, {
        file: this.#url,
        expected,
        actual,
      });
    if (this.#validator === undefined) {
      this.#validator = validator;
      this.#ifRange = ifRangeOf(response, validator);
    } else if (!agrees(this.#validator, validator)) {
      throw changed('validator', shown(this.#validator), shown(validator));
    }
    if (size !== undefined && this.#size !== undefined && this.#size !== size) {
      throw changed('size', this.#size, size);
    }
    this.#size ??= size;
  }
}

/** The validator that told two responses apart. */
function shown({ etag, lastModified }: Validator): string | undefined {
  return etag ?? lastModified;
}
