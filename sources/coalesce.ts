import { onAbort } from '../platform/abort.js';
import {
  COALESCE_RULES,
  type CoalesceOptions,
  coalesceRanges,
  type PlannedRange,
} from '../src/bytes/ranges.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { checkOptions } from '../src/checks/options.js';
import { TruncatedError } from '../src/errors.js';
import { assertSource, type RandomAccessSource } from '../src/source.js';
import { checkRead } from './ranges.js';
import { WrappedSource } from './streamedSource.js';

/** Bytes that arrive in the time of one more request, at 10 Mbit/s and a round trip of 50 ms. */
const DEFAULT_MAX_GAP = 65536;

interface Wanted {
  readonly start: number;
  readonly end: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * The same source, with reads that are started together (before anything is awaited) joined into fewer requests where
 * their ranges are close. Each read still fails or is aborted on its own; streams are not affected.
 *
 * @example
 * const url = 'https://example.org/model/model.safetensors';
 * const source = withCoalescing(httpSource(url), { maxGap: 4096 });
 * const parts = await Promise.all([1000, 3000, 5000].map((offset) => source.read(offset, 500)));
 */
export function withCoalescing(
  source: RandomAccessSource,
  options: CoalesceOptions = {},
): RandomAccessSource {
  assertSource(source);
  checkOptions(options, COALESCE_RULES);
  return new CoalescingSource(source, { maxGap: DEFAULT_MAX_GAP, ...options });
}

class CoalescingSource extends WrappedSource {
  readonly #options: CoalesceOptions;
  #wanted: Wanted[] = [];

  constructor(source: RandomAccessSource, options: CoalesceOptions) {
    super(source);
    this.#options = options;
  }

  override async read(offset: number, length: number, options: AbortOptions = {}): Promise<Uint8Array> {
    const { signal } = checkRead(offset, length, options);
    signal?.throwIfAborted();
    if (length === 0) return new Uint8Array(0);
    return new Promise((resolve, reject) => {
      if (this.#wanted.length === 0) queueMicrotask(() => this.#send());
      this.#wanted.push({ start: offset, end: offset + length, signal, resolve, reject });
    });
  }

  #send(): void {
    const wanted = this.#wanted.filter(({ signal, reject }) => {
      if (signal?.aborted) reject(signal.reason);
      return !signal?.aborted;
    });
    this.#wanted = [];
    for (const plan of coalesceRanges(wanted, this.#options)) {
      void this.#fetch(
        plan,
        plan.parts.map((index) => wanted[index]!),
      );
    }
  }

  async #fetch({ start, end }: PlannedRange, parts: readonly Wanted[]): Promise<void> {
    const abort = new AbortController();
    let waiting = parts.length;
    const removers = parts.map(
      ({ signal, reject }) =>
        signal &&
        onAbort(signal, (reason) => {
          reject(reason);
          waiting -= 1;
          if (waiting === 0) abort.abort(reason);
        }),
    );
    try {
      const bytes = await this.source.read(start, end - start, { signal: abort.signal });
      for (const part of parts) {
        // Copies where several reads share the bytes: each caller may write to its array, or transfer it.
        const own =
          parts.length === 1 ? bytes : new Uint8Array(bytes.subarray(part.start - start, part.end - start));
        part.resolve(own);
      }
    } catch (error) {
      // A read beyond the end must not fail the others.
      if (error instanceof TruncatedError && parts.length > 1) this.#fetchEach(parts);
      else for (const { reject } of parts) reject(error);
    } finally {
      for (const remove of removers) remove?.();
    }
  }

  #fetchEach(parts: readonly Wanted[]): void {
    for (const part of parts) void this.#fetch({ ...part, parts: [0] }, [part]);
  }
}
