import { type AbortOptions, checkAbort } from '../src/checks/abortOptions.js';
import type { ByteRangeOptions, RandomAccessSource } from '../src/source.js';
import { type ChunkReader, streamReader } from './chunkReader.js';
import { pullStream } from './pullStream.js';
import { type ByteRange, checkRange, checkRead } from './ranges.js';
import { readExactly } from './read.js';

/**
 * A source that reads each range from its first byte to its last. A subclass opens ranges; streams and reads follow
 * from that. Closing the source ends them.
 */
export abstract class StreamedSource implements RandomAccessSource {
  readonly #signal: AbortSignal | undefined;
  readonly #closed = new AbortController();

  /** @param signal ends all streams and reads */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  abstract get size(): number | undefined;

  /** Called when the first chunk is requested. `signal` aborts when the stream ends, for any reason. */
  protected abstract open(range: ByteRange, signal: AbortSignal): Promise<ChunkReader>;

  stream(options: ByteRangeOptions = {}): ReadableStream<Uint8Array> {
    const range = checkRange(options);
    const abort = new AbortController();
    let reader: ChunkReader | undefined;
    return pullStream(
      {
        next: async () => {
          reader ??= await this.open(range, abort.signal);
          // The stream may have been cancelled while it was opened.
          if (abort.signal.aborted) await reader.close?.(abort.signal.reason);
          abort.signal.throwIfAborted();
          return reader.next();
        },
        close: (reason) => {
          abort.abort(reason);
          return reader?.close?.(reason);
        },
      },
      this.signals(options),
    );
  }

  async read(offset: number, length: number, options: AbortOptions = {}): Promise<Uint8Array> {
    const { signal } = checkRead(offset, length, options);
    return readExactly(this.stream({ start: offset, end: offset + length, signal }), length);
  }

  async close(): Promise<void> {
    this.#closed.abort(new DOMException('the source was closed', 'AbortError'));
  }

  /** All signals that end a stream or read with these options. */
  protected signals(options: AbortOptions): AbortSignal[] {
    return [checkAbort(options).signal, this.#signal, this.#closed.signal].filter(
      (given) => given !== undefined,
    );
  }
}

/** A source around another one: a subclass declares what it changes, the rest is the inner source's. */
export abstract class WrappedSource extends StreamedSource {
  protected readonly source: RandomAccessSource;

  constructor(source: RandomAccessSource, signal?: AbortSignal) {
    super(signal);
    this.source = source;
  }

  get id(): string | undefined {
    return this.source.id;
  }

  get name(): string | undefined {
    return this.source.name;
  }

  get size(): number | undefined {
    return this.source.size;
  }

  protected async open(range: ByteRange, _signal: AbortSignal): Promise<ChunkReader> {
    return streamReader(this.source.stream(range));
  }

  async version(options: AbortOptions = {}): Promise<string | undefined> {
    checkAbort(options);
    return this.source.version?.(options);
  }

  override async close(): Promise<void> {
    await super.close();
    await this.source.close?.();
  }
}
