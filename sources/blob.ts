import { ArgumentError, SourceError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';
import { randomAccessSource } from './randomAccess.js';

/**
 * A Blob or File (a drop, an `<input type=file>`, a file of the origin-private file system) as a source. Only what
 * is asked for is read into memory.
 *
 * @throws ArgumentError for anything else
 * @throws SourceError from its streams and reads, when the file has changed or gone since it was picked
 */
export function blobSource(blob: Blob): RandomAccessSource & { readonly size: number } {
  if (!isBlob(blob)) throw new ArgumentError('Cannot read the blob: it is not a Blob', { actual: blob });
  // A File has a name; File itself is not a global in every engine.
  const name = 'name' in blob ? String(blob.name) : undefined;
  return randomAccessSource(
    blob.size,
    async (offset, length) => {
      try {
        return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      } catch (cause) {
        throw new SourceError('Cannot read the blob', { name, offset, cause });
      }
    },
    name,
  );
}

/** Parts of it can be read: by its methods, because other realms and runtimes have classes of their own. */
export function isBlob(input: unknown): input is Blob {
  const { slice, arrayBuffer, size } = (input ?? {}) as Partial<Blob>;
  return typeof slice === 'function' && typeof arrayBuffer === 'function' && typeof size === 'number';
}
