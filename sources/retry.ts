import { onAbort } from '../platform/abort.js';
import { startTimer } from '../platform/timer.js';
import { ABORT_RULES, type AbortOptions } from '../src/checks/abortOptions.js';
import { checkOptions, number, type Rules } from '../src/checks/options.js';
import { SourceError } from '../src/errors.js';
import { assertSource, type RandomAccessSource } from '../src/source.js';
import { type ChunkReader, streamReader } from './chunkReader.js';
import { EVENT_RULES, type OnSourceEvent } from './events.js';
import type { ByteRange } from './ranges.js';
import { WrappedSource } from './streamedSource.js';

/**
 * Bytes that make a source count as working again. Fewer do not: a server that sends one byte per connection would be
 * asked without end.
 */
export const PROGRESS_BYTES = 1024;

/** How often, and after which waits, a source is tried again. */
export interface RetryOptions {
  /** Attempts after the first before giving up; every KiB that arrives resets the count. Default 5. */
  readonly retries?: number | undefined;
  /**
   * Longest wait before the first retry, in milliseconds; the average is half of it. It doubles with each retry.
   * Default 500.
   */
  readonly delay?: number | undefined;
  /** Longest wait in milliseconds; when a server asks for more, its error is thrown. Default 30,000. */
  readonly maxDelay?: number | undefined;
  /** Ends all streams and reads, and the waits between attempts. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnSourceEvent | undefined;
}

export const RETRY_RULES: Rules<RetryOptions> = {
  ...ABORT_RULES,
  ...EVENT_RULES,
  retries: /* @__PURE__ */ number(),
  delay: /* @__PURE__ */ number(),
  maxDelay: /* @__PURE__ */ number(),
};

/**
 * The same source, which tries again after errors that are `retryable`: broken connections, busy servers. A stream
 * continues at the byte where it broke. Waits double with each failure and are random, so many clients do not return at
 * the same moment; a server's `Retry-After` is respected.
 *
 * @example
 * const url = 'https://example.org/model/model.safetensors';
 * const cache = openCache(memoryStore());
 * const source = withRetry(withCache(httpSource(url, { retry: false }), cache));
 */
export function withRetry(source: RandomAccessSource, options: RetryOptions = {}): RandomAccessSource {
  assertSource(source);
  return new RetryingSource(source, checkOptions(options, RETRY_RULES));
}

class RetryingSource extends WrappedSource {
  readonly #options: RetryOptions;

  constructor(source: RandomAccessSource, options: RetryOptions) {
    super(source, options.signal);
    this.#options = options;
  }

  protected override async open({ start, end }: ByteRange, signal: AbortSignal): Promise<ChunkReader> {
    let position = start;
    let failures = 0;
    let received = 0;
    let reader: ChunkReader | undefined;
    return {
      next: async () => {
        for (;;) {
          try {
            reader ??= streamReader(this.source.stream({ start: position, end }));
            const chunk = await reader.next();
            const length = chunk?.length ?? 0;
            position += length;
            received += length;
            if (received >= PROGRESS_BYTES) failures = received = 0;
            return chunk;
          } catch (error) {
            reader = undefined;
            failures += 1;
            await this.#wait(error, failures, position, [signal]);
          }
        }
      },
      close: (reason) => reader?.close?.(reason),
    };
  }

  override async version(options: AbortOptions = {}): Promise<string | undefined> {
    for (let failures = 1; ; failures++) {
      try {
        return await super.version(options);
      } catch (error) {
        await this.#wait(error, failures, 0, this.signals(options));
      }
    }
  }

  /** Waits before the next attempt, or throws the error when it is final. */
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
    // "Full jitter": uniform between zero and the doubled wait.
    const jittered = Math.random() * Math.min(maxDelay, first * 2 ** (attempt - 1));
    const delay = Math.max(jittered, retryAfter);
    onEvent?.({ type: 'retry', error, attempt, delay, position });
    await sleep(delay, signals);
  }
}

/** Waits, or rejects with the reason of the signal that aborts first. */
function sleep(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve, reject) => {
    for (const signal of signals) if (signal.aborted) return reject(signal.reason);
    const end = (settle: () => void) => {
      stopTimer();
      for (const remove of removers) remove();
      settle();
    };
    const stopTimer = startTimer(ms, () => end(resolve));
    const removers = signals.map((signal) => onAbort(signal, (reason) => end(() => reject(reason))));
  });
}
