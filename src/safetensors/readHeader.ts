import type { AbortOptions, RandomAccessSource } from '../source.js';
import { SAFETENSORS_LENGTH_SIZE, type SafetensorsHeader } from './header.js';
import { parseSafetensorsHeader, safetensorsHeaderSize } from './parse.js';

export interface ReadSafetensorsHeaderOptions extends AbortOptions {
  /** Largest header that is accepted, in bytes of JSON. Default SAFETENSORS_MAX_HEADER_SIZE. */
  readonly maxHeaderSize?: number | undefined;
}

/**
 * Reads and checks the header of a safetensors file, and nothing else of it. The file's size is held against the
 * header where the source knows it.
 * @throws FormatError, TruncatedError, LimitError, SourceError
 */
export async function readSafetensorsHeader(
  source: RandomAccessSource,
  { maxHeaderSize, signal }: ReadSafetensorsHeaderOptions = {},
): Promise<SafetensorsHeader> {
  const start = await source.read(0, SAFETENSORS_LENGTH_SIZE, { signal });
  const options = { maxHeaderSize, fileSize: source.size };
  const size = safetensorsHeaderSize(start, options);
  // Read first, allocate then: the length may lie.
  const json = await source.read(start.length, size - start.length, { signal });
  const bytes = new Uint8Array(size);
  bytes.set(start);
  bytes.set(json, start.length);
  return parseSafetensorsHeader(bytes, options);
}
