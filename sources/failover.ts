import { type AbortOptions, checkAbort } from '../src/checks/abortOptions.js';
import { check, checkOptions, listOf } from '../src/checks/options.js';
import { ArgumentError, SourceChangedError, SourceError } from '../src/errors.js';
import { type RandomAccessSource, SOURCE } from '../src/source.js';
import { type ChunkReader, streamReader } from './chunkReader.js';
import { EVENT_RULES, type OnSourceEvent } from './events.js';
import type { ByteRange } from './ranges.js';
import { PROGRESS_BYTES } from './retry.js';
import { StreamedSource } from './streamedSource.js';

/** What {@link withFailover} reports. */
export interface FailoverOptions {
  readonly onEvent?: OnSourceEvent | undefined;
}

/**
 * Several copies of one file as one source. It reads from the first until that fails, and continues with the next at
 * the byte reached; after the last comes the first again. When all fail in a row, the error of one of them is thrown.
 *
 * The copies must be the same file: their sizes are compared, their bytes cannot be.
 *
 * @example
 * const urls = ['https://example.org/model/model.safetensors', 'https://example.org/model.safetensors'];
 * const source = withFailover(urls.map((url) => httpSource(url)));
 * console.log(await source.read(0, 8));
 */
export function withFailover(
  sources: readonly RandomAccessSource[],
  options: FailoverOptions = {},
): RandomAccessSource {
  check('sources', sources, listOf(SOURCE));
  checkOptions(options, EVENT_RULES);
  if (sources.length === 0)
    throw new ArgumentError('Cannot create a failover source: it needs at least one source');
  return new FailoverSource(sources, options);
}

class FailoverSource extends StreamedSource {
  readonly #sources: readonly RandomAccessSource[];
  readonly #options: FailoverOptions;
  /** Index of the source that worked last. */
  #current = 0;
  #size: number | undefined;

  constructor(sources: readonly RandomAccessSource[], options: FailoverOptions) {
    super();
    this.#sources = sources;
    this.#options = options;
  }

  get id(): string | undefined {
    return this.#sources[0]!.id;
  }

  get name(): string | undefined {
    return this.#sources[0]!.name;
  }

  get size(): number | undefined {
    return this.#size;
  }

  protected async open({ start, end }: ByteRange, signal: AbortSignal): Promise<ChunkReader> {
    let position = start;
    let failed: unknown[] = [];
    let received = 0;
    let used = this.#current;
    let reader: ChunkReader | undefined;
    return {
      next: async () => {
        for (;;) {
          try {
            if (reader === undefined) {
              used = this.#current;
              reader = streamReader(this.#sources[used]!.stream({ start: position, end }));
            }
            const chunk = await reader.next();
            this.#checkSize(used);
            const length = chunk?.length ?? 0;
            position += length;
            received += length;
            if (received >= PROGRESS_BYTES) {
              failed = [];
              received = 0;
            }
            return chunk;
          } catch (error) {
            await Promise.resolve(reader?.close?.(error)).catch(() => {});
            reader = undefined;
            failed.push(error);
            this.#next(failed, used, position, signal);
          }
        }
      },
      close: (reason) => reader?.close?.(reason),
    };
  }

  async version(options: AbortOptions = {}): Promise<string | undefined> {
    checkAbort(options);
    const failed: unknown[] = [];
    for (;;) {
      const used = this.#current;
      try {
        const version = await this.#sources[used]!.version?.(options);
        this.#checkSize(used);
        return version;
      } catch (error) {
        failed.push(error);
        this.#next(failed, used, 0, options.signal);
      }
    }
  }

  override async close(): Promise<void> {
    await super.close();
    await Promise.all(this.#sources.map((source) => source.close?.()));
  }

  /** Moves to the next source, or throws when all have failed in a row or the error does not come from a source. */
  #next(failed: readonly unknown[], used: number, position: number, signal?: AbortSignal): void {
    const error = failed.at(-1);
    if (!(error instanceof SourceError) || signal?.aborted) throw error;
    const to = (used + 1) % this.#sources.length;
    // Another stream may have moved on already.
    if (this.#current === used) this.#current = to;
    if (failed.length === this.#sources.length) {
      // If one server is busy, trying again later may help, even if the others do not have the file.
      throw failed.find((one) => one instanceof SourceError && one.retryable) ?? error;
    }
    this.#options.onEvent?.({ type: 'failover', error, from: used, to: this.#current, position });
  }

  #checkSize(used: number): void {
    const { size } = this.#sources[used]!;
    this.#size ??= size;
    if (size !== undefined && size !== this.#size) {
      throw new SourceChangedError(
        'Cannot continue with another copy of the file: the copies differ in size',
        {
          expected: this.#size,
          actual: size,
        },
      );
    }
  }
}
