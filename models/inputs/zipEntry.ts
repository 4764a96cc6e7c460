import { readWhole } from '../../sources/read.js';
import { streamSource } from '../../sources/stream.js';
import { checkTensorBytes, limitsOf, type OpenOptions } from '../../src/checks/limits.js';
import { FormatError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { ZipEntry } from '../../src/zip/scanZip.js';

/**
 * All bytes of a file in a zip archive.
 * @throws LimitError for a file of more than `limits.tensorBytes`; FormatError for one that is damaged, or has not as many bytes as
 *   the archive says
 */
export async function readZipEntry(
  source: RandomAccessSource,
  { name, offset, storedSize, size, isDeflated }: ZipEntry,
  options: OpenOptions,
): Promise<Uint8Array> {
  checkTensorBytes(limitsOf(options), Math.max(size, storedSize), name);
  const stored = await source.read(offset, storedSize, options);
  if (!isDeflated) return stored;
  const wrong = (cause?: unknown) =>
    new FormatError('Cannot inflate a file of the zip archive: it is damaged', {
      name,
      expected: size,
      cause,
    });
  const inflated = new Blob([new Uint8Array(stored)])
    .stream()
    .pipeThrough(new DecompressionStream('deflate-raw'));
  const bytes = await readWhole(streamSource(inflated), size, wrong, options).catch((cause) => {
    options.signal?.throwIfAborted();
    throw cause instanceof FormatError ? cause : wrong(cause);
  });
  if (bytes.length !== size) throw wrong();
  return bytes;
}
