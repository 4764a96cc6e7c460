import type { ByteStreamLike, SourceInput } from '../platform/byteReader.js';
import { isUrlObject } from '../platform/path.js';
import type { RandomAccessSource } from '../src/source.js';
import type { HttpSourceOptions } from './http/httpSource.js';
import { openBytes } from './openBytes.js';
import { placeOf } from './place.js';

/**
 * A source over anything that bytes come from.
 * @param http options for URLs
 * @throws ArgumentError for anything else; SourceError for a file that cannot be opened
 */
export async function openSource(input: SourceInput, http?: HttpSourceOptions): Promise<RandomAccessSource> {
  if (typeof input === 'string' || isUrlObject(input)) return placeOf(input, http).open();
  return openBytes(input as ByteStreamLike);
}
