import { ByteQueue } from '../src/bytes/byteQueue.js';
import { TruncatedError } from '../src/errors.js';

/** Reads exact lengths, one after another, from a stream of chunks. */
export class PieceReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #onBytes: (bytes: number) => void;
  readonly #queue = new ByteQueue();

  constructor(stream: ReadableStream<Uint8Array>, onBytes: (bytes: number) => void) {
    this.#reader = stream.getReader();
    this.#onBytes = onBytes;
  }

  /**
   * The next bytes: a view of a chunk where they lie within one, else an array that is filled as chunks arrive, so that
   * a large piece is in memory once.
   * @throws TruncatedError when the stream ends before
   */
  async read(length: number): Promise<Uint8Array> {
    if (this.#queue.length === 0 && length > 0) await this.#pull(length);
    const view = this.#queue.take(length);
    if (view !== undefined) return view;
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#queue.length === 0) await this.#pull(length - filled);
      const part = this.#queue.take(Math.min(this.#queue.length, length - filled))!;
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes;
  }

  /** Ends the stream, and with it the request. */
  async cancel(reason?: unknown): Promise<void> {
    await this.#reader.cancel(reason);
  }

  async #pull(missing: number): Promise<void> {
    const { done, value } = await this.#reader.read();
    if (done)
      throw new TruncatedError('model: the source ended early', { expected: `${missing} more bytes` });
    this.#onBytes(value.length);
    this.#queue.push(value);
  }
}
