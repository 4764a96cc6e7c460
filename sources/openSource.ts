import {
  type ByteStreamLike,
  byteReader,
  type FileHandleLike,
  type SourceInput,
} from '../platform/byteReader.js';
import { isUrlObject } from '../platform/path.js';
import { bytesOf } from '../src/bytes/binary.js';
import { ArgumentError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';
import { blobSource, isBlob } from './blob.js';
import { bytesSource } from './bytes.js';
import type { HttpSourceOptions } from './http/httpSource.js';
import { keptSource } from './kept.js';
import { placeOf } from './place.js';

/**
 * A source over anything that bytes come from.
 * @param http options for URLs
 * @throws ArgumentError for anything else; SourceError for a file that cannot be opened
 */
export async function openSource(input: SourceInput, http?: HttpSourceOptions): Promise<RandomAccessSource> {
  if (typeof input === 'string' || isUrlObject(input)) return placeOf(input, http).open();
  const bytes = bytesOf(input);
  if (bytes !== undefined) return bytesSource(bytes);
  if (isBlob(input)) return blobSource(input);
  if (isFileHandle(input)) return blobSource(await input.getFile());
  return keptSource(readerOf(input as ByteStreamLike));
}

/** @throws ArgumentError that names sources, too */
function readerOf(input: ByteStreamLike) {
  try {
    return byteReader(input);
  } catch (error) {
    if (!(error instanceof ArgumentError) || error.expected === undefined) throw error;
    const expected = 'a source, such as httpSource(url) or await fileSource(path), a URL, bytes or a stream';
    throw new ArgumentError('Cannot read from this argument', { expected, actual: input });
  }
}

function isFileHandle(input: unknown): input is FileHandleLike {
  return typeof (input as Partial<FileHandleLike> | null | undefined)?.getFile === 'function';
}
