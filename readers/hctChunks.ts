import type { AbortOptions } from '../src/checks/abortOptions.js';
import type { HctHeader } from '../src/hct/header.js';
import type { HctSourceReader } from './hctSourceReader.js';

/** Bytes of the tensor that `readHctChunks` decodes at a time, as far as blocks allow. */
const CHUNK_SIZE = 2 ** 20;

/**
 * The bytes of the tensor from start to end, in whole blocks, so that no block is decoded twice.
 * @throws TruncatedError, ChecksumError, CodecError
 */
export async function* readHctChunks(
  reader: HctSourceReader,
  options: AbortOptions = {},
): AsyncGenerator<Uint8Array> {
  const { originalSize } = reader.header;
  const step = chunkSize(reader.header);
  for (let at = 0; at < originalSize; at += step) {
    yield await reader.read(at, Math.min(at + step, originalSize), options);
  }
}

/** A megabyte of the tensor, in whole blocks. */
export function chunkSize({ blockSize }: HctHeader): number {
  return Math.max(1, Math.floor(CHUNK_SIZE / blockSize)) * blockSize;
}
