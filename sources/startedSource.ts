import { withRoom } from '../src/bytes/room.js';
import { TruncatedError } from '../src/errors.js';
import type { ByteRangeOptions, RandomAccessSource, ReadOptions } from '../src/source.js';
import { type ChunkReader, streamReader } from './chunkReader.js';
import { pullStream } from './pullStream.js';
import { checkRange, checkRead } from './ranges.js';
import { WrappedSource } from './streamedSource.js';

/** Bytes that are asked for when a file is opened: the headers of most, with what follows them. */
export const START_SIZE = 65536;

/**
 * The same source, whose first bytes are requested at once, all together, and stay in memory: nothing of them is fetched
 * twice, and what has arrived can be read while the rest is under way. So a file whose header is short is open before the
 * first request has ended.
 */
export class StartedSource extends WrappedSource {
  readonly #chunks: ChunkReader;
  readonly #stopped = new AbortController();
  /** Where the start ends, as far as is known. */
  readonly #end: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;
  /** Nothing more of the start arrives: it is here, or the source ends before, or has failed. */
  #isOver = false;
  /** The chunk under way, for all who wait for it. */
  #pending: Promise<void> | undefined;

  constructor(source: RandomAccessSource) {
    const { size = START_SIZE } = source;
    super(source);
    this.#end = Math.min(START_SIZE, size);
    this.#chunks = streamReader(source.stream({ start: 0, end: this.#end }));
    this.#readAll().catch(() => {});
  }

  override stream(options: ByteRangeOptions = {}): ReadableStream<Uint8Array> {
    const { start, end = this.size } = checkRange(options);
    if (start >= START_SIZE) return this.source.stream(options);
    let position = start;
    let rest: ChunkReader | undefined;
    let closed = false;
    // Of one that was cancelled, nobody would end the request of the rest.
    const hasEnded = () => closed || position === (end ?? this.size);
    return pullStream(
      {
        next: async () => {
          if (rest !== undefined) return rest.next();
          if (hasEnded()) return undefined;
          while (position >= this.#length && !this.#isOver) await this.#more();
          if (position < this.#length) {
            // A copy: the caller may write to its chunk or transfer it.
            const chunk = this.#bytes.slice(position, Math.min(this.#length, end ?? this.#length));
            position += chunk.length;
            return chunk;
          }
          this.#stopped.signal.throwIfAborted();
          if (hasEnded()) return undefined;
          rest = streamReader(this.source.stream({ ...options, start: position }));
          return rest.next();
        },
        close: (reason) => {
          closed = true;
          return rest?.close?.(reason);
        },
      },
      [options.signal],
    );
  }

  override async read(offset: number, length: number, options: ReadOptions = {}): Promise<Uint8Array> {
    checkRead(offset, length, options);
    return offset < START_SIZE
      ? super.read(offset, length, options)
      : this.source.read(offset, length, options);
  }

  /** Ends the request of the start; the source itself stays open. Resolves when a cache has kept what has come. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#stopped.abort(new DOMException('the source was closed', 'AbortError'));
    try {
      await this.#chunks.close?.();
    } catch {}
  }

  override async close(): Promise<void> {
    await this.stop();
    await super.close();
  }

  /** Whether somebody reads or not: a request that waits for its reader would keep its place among all requests. */
  async #readAll(): Promise<void> {
    while (!this.#isOver) await this.#more();
    // The stream has to end; one that gives more than was asked for may never do so.
    if (await this.#chunks.next()) await this.#chunks.close?.();
  }

  #more(): Promise<void> {
    this.#pending ??= this.#take().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  /** @throws what the source throws, to those who wait now: later ones ask the source again */
  async #take(): Promise<void> {
    try {
      const chunk = await this.#chunks.next();
      if (chunk === undefined) this.#isOver = true;
      else this.#keep(chunk);
    } catch (error) {
      this.#isOver = true;
      // The file is shorter: what there is has come before, unless the source asks first how large the file is.
      if (!(error instanceof TruncatedError)) throw error;
    }
  }

  #keep(given: Uint8Array): void {
    const chunk = given.subarray(0, this.#end - this.#length);
    const length = this.#length + chunk.length;
    const bytes = withRoom(this.#bytes, length, Math.max(length, START_SIZE), 2 * length);
    bytes.set(chunk, this.#length);
    this.#bytes = bytes;
    this.#length = length;
    this.#isOver ||= length === this.#end;
  }
}
