import { concatenate } from '../src/bytes/concatenate.js';
import { SAFETENSORS_LENGTH_SIZE } from '../src/safetensors/header.js';
import { safetensorsHeaderSize } from '../src/safetensors/parse.js';
import type { RandomAccessSource } from '../src/source.js';
import type { ReadSafetensorsHeaderOptions } from './safetensorsHeader.js';

/**
 * The bytes in front of the tensors, length and JSON, not parsed yet.
 * @throws FormatError, TruncatedError, LimitError, SourceError
 */
export async function readSafetensorsHeaderBytes(
  source: RandomAccessSource,
  { maxHeaderSize, signal }: ReadSafetensorsHeaderOptions = {},
): Promise<Uint8Array> {
  const start = await source.read(0, SAFETENSORS_LENGTH_SIZE, { signal });
  const size = safetensorsHeaderSize(start, { maxHeaderSize, fileSize: source.size });
  // Read first, allocate then: the length may lie.
  const json = await source.read(start.length, size - start.length, { signal });
  return concatenate([start, json]);
}
