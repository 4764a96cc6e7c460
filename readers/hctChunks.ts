import type { AbortOptions } from '../src/source.js';
import type { HctReader } from './hctReader.js';

/** Bytes that are decoded at a time, as far as blocks allow. */
const CHUNK_SIZE = 2 ** 20;

/**
 * The bytes of the tensor from start to end, in whole blocks, so that none is decoded twice.
 * @throws TruncatedError, ChecksumError, CodecError
 */
export async function* readHctChunks(
  reader: HctReader,
  options: AbortOptions = {},
): AsyncGenerator<Uint8Array> {
  const { originalSize, blockSize } = reader.header;
  const step = Math.max(1, Math.floor(CHUNK_SIZE / blockSize)) * blockSize;
  for (let at = 0; at < originalSize; at += step) {
    yield await reader.read(at, Math.min(at + step, originalSize), options);
  }
}
