import type { Soon } from '../src/async/after.js';
import { nextTurn } from '../src/async/steps.js';
import { ByteQueue } from '../src/bytes/byteQueue.js';
import { withRoom } from '../src/bytes/room.js';
import { free, ownMemory } from '../src/bytes/sharedMemory.js';
import { type AllLimits, Budget } from '../src/checks/limits.js';
import { TruncatedError } from '../src/errors.js';

export interface PieceReaderOptions {
  readonly limits: AllLimits;
  readonly onBytes: (bytes: number) => void;
}

export interface ReadPiece {
  readonly bytes: Uint8Array;
  /** Nothing else uses their memory. */
  readonly isOwn: boolean;
}

/**
 * A piece that is less than half of a larger chunk is copied: its tensor may keep it until the end of the load, and all of
 * the chunk with it.
 */
const LARGE_CHUNK = 2 ** 18;

/** Reads exact lengths, one after another, from a stream of chunks. */
export class PieceReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #limits: AllLimits;
  readonly #onBytes: (bytes: number) => void;
  readonly #queue = new ByteQueue();
  /** Whether the last chunk is all of its memory. Sources of bytes in memory give views of it, and it stays anyway. */
  #isAlone = false;
  /** Memory of the last chunk. */
  #memory: ArrayBufferLike | undefined;

  constructor(stream: ReadableStream<Uint8Array>, { limits, onBytes }: PieceReaderOptions) {
    this.#limits = limits;
    this.#reader = stream.getReader();
    this.#onBytes = onBytes;
  }

  /**
   * The next bytes: a view of a chunk if they are within one and a good part of it, and its memory is not ours to free, else an array
   * that is filled as chunks arrive, so a large piece is in memory only once. It is allocated as far as the bytes so far pay for it.
   * @throws TruncatedError when the stream ends before
   */
  read(length: number): Soon<ReadPiece> {
    return this.#take(length) ?? this.#readLater(length);
  }

  /** What is within a chunk. */
  #take(length: number): ReadPiece | undefined {
    const view = this.#queue.take(length);
    if (view === undefined) return undefined;
    const { buffer } = view;
    const { byteLength: held } = buffer;
    const isCopied = ownMemory.has(buffer) || (this.#isAlone && held >= LARGE_CHUNK && 2 * length < held);
    return { bytes: isCopied ? view.slice() : view, isOwn: isCopied };
  }

  async #readLater(length: number): Promise<ReadPiece> {
    if (this.#queue.length === 0) await this.#pull(length);
    const piece = this.#take(length);
    if (piece !== undefined) return piece;
    let bytes: Uint8Array = new Uint8Array(0);
    let filled = 0;
    while (filled < length) {
      if (this.#queue.length === 0) await this.#pull(length - filled);
      const part = this.#queue.take(Math.min(this.#queue.length, length - filled))!;
      bytes = withRoom(bytes, filled + part.length, length, new Budget(this.#limits, filled).most);
      bytes.set(part, filled);
      filled += part.length;
    }
    return { bytes, isOwn: true };
  }

  /** Reads the end of the stream: a request that is cancelled before loses its connection. */
  async end(): Promise<void> {
    await this.#reader.read();
  }

  /** Ends the stream, and with it the request. */
  cancel(reason?: unknown): Promise<void> {
    return this.#reader.cancel(reason);
  }

  async #pull(missing: number): Promise<void> {
    // All of the last chunk has been copied.
    if (ownMemory.has(this.#memory!)) free([this.#memory!]);
    const { done, value } = await this.#reader.read();
    if (done)
      throw new TruncatedError('Cannot load the model: the source ended early', {
        expected: `${missing} more bytes`,
      });
    this.#onBytes(value.length);
    this.#queue.push(value);
    this.#memory = value.buffer;
    this.#isAlone = value.length === this.#memory.byteLength;
    await nextTurn();
  }
}
