import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { AsyncDisposal } from '../platform/closeable.js';
import { nodeModule } from '../platform/nodeModule.js';
import { pathOf } from '../platform/path.js';
import { systemReason } from '../platform/systemError.js';
import { uncleared } from '../src/bytes/room.js';
import { show } from '../src/errors/show.js';
import { SourceChangedError, SourceError, TruncatedError, UnsupportedError } from '../src/errors.js';
import type { RandomAccessSource, ReadOptions } from '../src/source.js';
import { randomAccessSource } from './randomAccess.js';

export interface FileSource extends RandomAccessSource, AsyncDisposal {
  readonly size: number;
  /** When it had been written to last, as it was opened: milliseconds since 1970. */
  readonly modified: number;
  /** Closes the file, after reads under way; streams that are still open fail at their next chunk. */
  close(): Promise<void>;
}

/** What one call of the operating system reads at most: Node refuses 2 GiB and more. */
const MAX_READ = 2 ** 30;

/**
 * A file on disk (Node). It is open until `close` or the end of an `await using` block; any number of reads and streams
 * share the one handle. A file that is written to meanwhile is an error, so that no two versions are mixed; a new file
 * that replaces it by its name does no harm.
 *
 * @example
 * await using file = await fileSource('model.safetensors');
 * const header = await readSafetensorsHeader(file);
 *
 * @throws SourceError when the file does not exist, or has no size: a folder, a pipe; ArgumentError for a URL of no file;
 * UnsupportedError where there are no files; from streams and reads, SourceChangedError when its size or the time of its last change is no longer that from
 * when it was opened
 */
export async function fileSource(path: string | URL): Promise<FileSource> {
  const fs = nodeModule('node:fs/promises');
  if (fs === undefined) {
    throw new UnsupportedError('Cannot open file: this engine has no files', { file: show(path) });
  }
  const name = pathOf(path);
  const cannotOpen = (cause: unknown) => {
    throw new SourceError(`Cannot open file${systemReason(cause)}`, { file: name, cause });
  };
  const handle = await fs.open(name).catch(cannotOpen);
  // Nothing is lost when a file that was only read fails to close, and the first error counts.
  const close = () => handle.close().catch(() => {});
  try {
    const opened = await handle.stat().catch(cannotOpen);
    if (!opened.isFile()) throw new SourceError('Cannot open file: it is not a regular file', { file: name });
    const file = new OpenFile(handle, name, opened);
    return {
      ...randomAccessSource(
        opened.size,
        (offset, length, options) => file.readRange(offset, length, options),
        name,
        () => file.assertUnchanged(),
      ),
      modified: opened.mtimeMs,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

class OpenFile {
  readonly #handle: FileHandle;
  readonly #name: string;
  readonly #opened: Pick<Stats, 'size' | 'mtimeMs'>;

  constructor(handle: FileHandle, name: string, opened: Pick<Stats, 'size' | 'mtimeMs'>) {
    this.#handle = handle;
    this.#name = name;
    this.#opened = opened;
  }

  async readRange(offset: number, length: number, { into }: ReadOptions): Promise<Uint8Array> {
    const name = this.#name;
    const bytes = into?.length === length ? into : uncleared(length);
    for (let filled = 0; filled < length; ) {
      const part = Math.min(MAX_READ, length - filled);
      const { bytesRead } = await this.#handle.read(bytes, filled, part, offset + filled).catch((cause) => {
        const what = `Cannot read file${systemReason(cause)}`;
        throw new SourceError(what, { file: name, offset: offset + filled, cause });
      });
      if (bytesRead === 0)
        throw new TruncatedError('Cannot read file: it was cut short', {
          file: name,
          offset: offset + filled,
        });
      filled += bytesRead;
    }
    return bytes;
  }

  async assertUnchanged(): Promise<void> {
    const name = this.#name;
    const { size, mtimeMs } = await this.#handle.stat().catch((cause) => {
      throw new SourceError(`Cannot read file${systemReason(cause)}`, { file: name, cause });
    });
    const { size: expected, mtimeMs: opened } = this.#opened;
    if (size !== expected) {
      throw new SourceChangedError('Cannot continue to read the file: file changed, by its size', {
        file: name,
        expected,
        actual: size,
      });
    }
    if (mtimeMs !== opened) {
      throw new SourceChangedError('Cannot continue to read the file: file changed since it was opened', {
        file: name,
        expected: new Date(opened).toISOString(),
        actual: new Date(mtimeMs).toISOString(),
      });
    }
  }
}
