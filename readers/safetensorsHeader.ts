import type { SafetensorsHeader } from '../src/safetensors/header.js';
import { parseSafetensorsHeader } from '../src/safetensors/parse.js';
import type { AbortOptions, RandomAccessSource } from '../src/source.js';
import { readSafetensorsHeaderBytes } from './safetensorsHeaderBytes.js';

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
  options: ReadSafetensorsHeaderOptions = {},
): Promise<SafetensorsHeader> {
  const bytes = await readSafetensorsHeaderBytes(source, options);
  return parseSafetensorsHeader(bytes, { maxHeaderSize: options.maxHeaderSize, fileSize: source.size });
}
