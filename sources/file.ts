import type { AsyncDisposal } from '../src/closeable.js';
import { SourceError, TruncatedError, UnsupportedError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';
import { nodeModule } from './nodeModule.js';
import { randomAccessSource } from './randomAccess.js';

export interface FileSource extends RandomAccessSource, AsyncDisposal {
  readonly size: number;
  /** Closes the file, after reads under way; streams that are still open fail at their next chunk. */
  close(): Promise<void>;
}

/** What one call of the operating system reads at most: Node refuses 2 GiB and more. */
const MAX_READ = 2 ** 30;

/**
 * A file on disk (Node). It is open until `close` or the end of an `await using` block; any number of reads and streams
 * share the one handle.
 *
 * @example
 * await using file = await fileSource('model.safetensors');
 * const header = await readSafetensorsHeader(file);
 *
 * @throws SourceError when the file does not exist, or has no size: a folder, a pipe; UnsupportedError where there are no
 * files
 */
export async function fileSource(path: string | URL): Promise<FileSource> {
  const [fs, url] = [nodeModule('node:fs/promises'), nodeModule('node:url')];
  if (fs === undefined || url === undefined) {
    throw new UnsupportedError('Cannot open file: this engine has no files', { name: String(path) });
  }
  const name = typeof path === 'string' ? path : url.fileURLToPath(path);
  const handle = await fs.open(name).catch((cause) => {
    throw new SourceError('Cannot open file', { name, cause });
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new SourceError('Cannot open file: it is not a regular file', { name });
    return {
      ...randomAccessSource(stat.size, readRange, name),
      close: () => handle.close(),
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }

  async function readRange(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      const part = Math.min(MAX_READ, length - filled);
      const { bytesRead } = await handle.read(bytes, filled, part, offset + filled).catch((cause) => {
        throw new SourceError('Cannot read file', { name, offset: offset + filled, cause });
      });
      if (bytesRead === 0)
        throw new TruncatedError('Cannot read file: it was cut short', { name, offset: offset + filled });
      filled += bytesRead;
    }
    return bytes;
  }
}
