import { SourceError } from '../src/errors.js';
import type { AbortOptions, ByteRangeOptions, RandomAccessSource } from '../src/source.js';
import type { OnSourceEvent } from './events.js';
import { pullStream } from './pullStream.js';
import { checkRange, checkRead } from './ranges.js';
import { readExactly } from './readExactly.js';
import { closedError, signalsOf, sleep } from './signals.js';

export interface RetryOptions {
  /** Attempts after the first before giving up; any byte that arrives starts the count anew. Default 5. */
  readonly retries?: number | undefined;
  /** Milliseconds before the first retry, on average half of it; doubled with each. Default 500. */
  readonly delay?: number | undefined;
  /** Longest wait in milliseconds; a server that asks for more is given up on. Default 30,000. */
  readonly maxDelay?: number | undefined;
  /** Ends all streams and reads, and the waiting between attempts. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnSourceEvent | undefined;
}

/**
 * The same source, trying again where that may help: after errors that say so (`retryable`: broken connections, busy
 * servers). A stream goes on at the byte where it broke, in the middle of whatever that is. Waits double with each
 * failure, with a random part, so that many clients do not return at the same moment; a server's `Retry-After` is kept.
 *
 * @example
 * const source = withRetry(withCache(httpSource(url, { retry: false }), cache));
 */
export function withRetry(source: RandomAccessSource, options: RetryOptions = {}): RandomAccessSource {
  return new RetryingSource(source, options);
}

class RetryingSource implements RandomAccessSource {
  readonly #source: RandomAccessSource;
  readonly #options: RetryOptions;
  readonly #closed = new AbortController();

  constructor(source: RandomAccessSource, options: RetryOptions) {
    this.#source = source;
    this.#options = options;
  }

  get size(): number | undefined {
    return this.#source.size;
  }

  stream(options: ByteRangeOptions = {}): ReadableStream<Uint8Array> {
    const { start, end } = checkRange(options);
    const abort = new AbortController();
    let position = start;
    let failures = 0;
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    return pullStream(
      {
        next: async () => {
          for (;;) {
            try {
              reader ??= this.#source.stream({ start: position, end }).getReader();
              const { value } = await reader.read();
              failures = 0;
              position += value?.length ?? 0;
              return value;
            } catch (error) {
              reader = undefined;
              failures += 1;
              await this.#wait(error, failures, position, [abort.signal]);
            }
          }
        },
        close: (reason) => {
          abort.abort(reason);
          return reader?.cancel(reason);
        },
      },
      this.#signals(options),
    );
  }

  async read(offset: number, length: number, { signal }: AbortOptions = {}): Promise<Uint8Array> {
    checkRead(offset, length);
    return readExactly(this.stream({ start: offset, end: offset + length, signal }), length);
  }

  async version(options: AbortOptions = {}): Promise<string | undefined> {
    for (let failures = 1; ; failures++) {
      try {
        return await this.#source.version?.(options);
      } catch (error) {
        await this.#wait(error, failures, 0, this.#signals(options));
      }
    }
  }

  async close(): Promise<void> {
    this.#closed.abort(closedError());
    await this.#source.close?.();
  }

  #signals({ signal }: AbortOptions): AbortSignal[] {
    return signalsOf(signal, this.#options.signal, this.#closed.signal);
  }

  /** Waits before the next attempt, or throws the error when there is to be none. */
  async #wait(error: unknown, attempt: number, position: number, signals: AbortSignal[]): Promise<void> {
    const { retries = 5, delay: first = 500, maxDelay = 30_000, onEvent } = this.#options;
    if (
      signals.some(({ aborted }) => aborted) ||
      !(error instanceof SourceError) ||
      !error.retryable ||
      attempt > retries
    )
      throw error;
    const { retryAfter = 0 } = error;
    if (retryAfter > maxDelay) throw error;
    // "Full jitter": anywhere between nothing and the whole of the doubled wait.
    const jittered = Math.random() * Math.min(maxDelay, first * 2 ** (attempt - 1));
    const delay = Math.max(jittered, retryAfter);
    onEvent?.({ type: 'retry', error, attempt, delay, position });
    await sleep(delay, signals);
  }
}
