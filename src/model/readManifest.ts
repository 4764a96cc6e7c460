import { FormatError, LimitError } from '../errors.js';
import type { AbortOptions, RandomAccessSource } from '../source.js';
import { MAX_MANIFEST_BYTES, type ModelManifest, parseManifest } from './manifest.js';

/** @throws FormatError, LimitError, SourceError */
export async function readManifest(
  source: RandomAccessSource,
  options: AbortOptions,
): Promise<ModelManifest> {
  const bytes = await collect(source, options);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError('manifest: not UTF-8', { cause });
  }
  return parseManifest(text);
}

/** Streamed, because a server may say only at the end how long the file is. */
async function collect(source: RandomAccessSource, options: AbortOptions): Promise<Uint8Array> {
  const reader = source.stream(options).getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    pieces.push(next.value);
    length += next.value.length;
    if (length > MAX_MANIFEST_BYTES) {
      const error = new LimitError('manifest', { expected: `at most ${MAX_MANIFEST_BYTES} bytes` });
      await reader.cancel(error);
      throw error;
    }
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
