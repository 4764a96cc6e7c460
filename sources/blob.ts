import { SourceError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';
import { randomAccessSource } from './randomAccess.js';

/**
 * A Blob or File (a drop, an `<input type=file>`, a file of the origin-private file system) as a source. Only what
 * is asked for is read into memory.
 *
 * @throws SourceError from its streams and reads, when the file has changed or gone since it was picked
 */
export function blobSource(blob: Blob): RandomAccessSource & { readonly size: number } {
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
