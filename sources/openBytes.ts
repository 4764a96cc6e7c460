import { type ByteStreamLike, byteReader, type FileHandleLike } from '../platform/byteReader.js';
import { bytesOf } from '../src/bytes/binary.js';
import { ArgumentError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';
import { blobSource, isBlob } from './blob.js';
import { bytesSource } from './bytes.js';
import { keptSource } from './keptSource.js';

/**
 * A source over anything that bytes come from, and that is no text: bytes, a file, a stream.
 * @throws ArgumentError for anything else
 */
export async function openBytes(input: ByteStreamLike): Promise<RandomAccessSource> {
  const bytes = bytesOf(input);
  if (bytes !== undefined) return bytesSource(bytes);
  if (isBlob(input)) return blobSource(input);
  if (isFileHandle(input)) return blobSource(await input.getFile());
  return keptSource(readerOf(input));
}

/** @throws ArgumentError that names sources, too */
function readerOf(input: ByteStreamLike) {
  try {
    // A body that is null is that of a response; an argument that is missing is none.
    if (input !== undefined) return byteReader(input);
  } catch (error) {
    if (!(error instanceof ArgumentError) || error.expected === undefined) throw error;
  }
  const expected = 'a source, such as httpSource(url) or await fileSource(path), a URL, bytes or a stream';
  throw new ArgumentError('Cannot read from this argument', { expected, actual: input ?? 'nothing' });
}

function isFileHandle(input: unknown): input is FileHandleLike {
  return typeof (input as Partial<FileHandleLike> | null | undefined)?.getFile === 'function';
}
