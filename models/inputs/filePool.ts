import { type ChunkReader, streamReader } from '../../sources/chunkReader.js';
import type { FileSource } from '../../sources/file.js';
import { pullStream } from '../../sources/pullStream.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { SourceChangedError, SourceError } from '../../src/errors.js';
import { type ByteRangeOptions, type RandomAccessSource, sourceName } from '../../src/source.js';

/** Files that stay open while nothing is read of them. Systems allow some hundreds or thousands in all. */
const MAX_IDLE = 16;

type Open = () => RandomAccessSource | Promise<RandomAccessSource>;

/** Files on disk that are opened when they are read: as many as are being read, and some that were, last. */
export class FilePool {
  /** Open, and not being read; the first one has been so for longest. */
  readonly #idle = new Set<PooledFile>();

  /** @returns the same file; what is not on disk, as it is: it has no handle, and a server's must stay the one that was opened */
  async add(source: RandomAccessSource, open: Open): Promise<RandomAccessSource> {
    if (source.size === undefined || source.version !== undefined || source.close === undefined)
      return source;
    const file = new PooledFile(source, open, this.#idle);
    await file.rest();
    return file;
  }
}

class PooledFile implements RandomAccessSource {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly size: number | undefined;
  readonly #modified: number | undefined;
  readonly #open: Open;
  readonly #idle: Set<PooledFile>;
  #source: Promise<RandomAccessSource> | undefined;
  #users = 0;
  #isClosed = false;

  constructor(source: RandomAccessSource, open: Open, idle: Set<PooledFile>) {
    this.id = source.id;
    this.name = source.name;
    this.size = source.size;
    this.#modified = modifiedOf(source);
    this.#open = open;
    this.#idle = idle;
    this.#source = Promise.resolve(source);
  }

  async read(offset: number, length: number, options?: AbortOptions): Promise<Uint8Array> {
    const source = await this.#use();
    try {
      return await source.read(offset, length, options);
    } finally {
      await this.#leave();
    }
  }

  stream(options: ByteRangeOptions = {}): ReadableStream<Uint8Array> {
    let reader: ChunkReader | undefined;
    let ended = false;
    return pullStream(
      {
        next: async () => {
          if (reader === undefined) {
            const source = await this.#use();
            // It may have been cancelled meanwhile.
            if (ended) return void (await this.#leave());
            reader = streamReader(source.stream(options));
          }
          return reader.next();
        },
        close: async (reason) => {
          ended = true;
          if (reader === undefined) return;
          await reader.close?.(reason);
          await this.#leave();
        },
      },
      [options.signal],
    );
  }

  /** Nothing is being read: if too many files are in this state, the one that has been so for longest is closed. */
  async rest(): Promise<void> {
    if (this.#isClosed) return;
    this.#idle.add(this);
    const [longest] = this.#idle;
    if (longest !== undefined && this.#idle.size > MAX_IDLE) await longest.#release();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#release();
  }

  async #release(): Promise<void> {
    this.#idle.delete(this);
    const source = this.#source;
    this.#source = undefined;
    await (await source?.catch(() => undefined))?.close?.();
  }

  async #use(): Promise<RandomAccessSource> {
    if (this.#isClosed)
      throw new SourceError('Cannot read the file: it is closed', { file: sourceName(this) });
    this.#users += 1;
    this.#idle.delete(this);
    this.#source ??= this.#reopened();
    try {
      return await this.#source;
    } catch (error) {
      this.#source = undefined;
      this.#users -= 1;
      throw error;
    }
  }

  async #leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users === 0) await this.rest();
  }

  /** The same file as before: bytes of two versions are not mixed. */
  async #reopened(): Promise<RandomAccessSource> {
    const source = await this.#open();
    if (source.size === this.size && modifiedOf(source) === this.#modified) return source;
    await source.close?.();
    throw new SourceChangedError('Cannot continue to read the file: file changed since it was opened', {
      file: sourceName(source),
      expected: this.size,
      actual: source.size,
    });
  }
}

function modifiedOf(source: RandomAccessSource): number | undefined {
  return (source as Partial<FileSource>).modified;
}
