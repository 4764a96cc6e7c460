import { fileSink } from '../sinks/file.js';
import { fileSource } from '../sources/file.js';
import { HctReader, type HctReaderOptions } from './hctReader.js';

export interface DecompressFileOptions extends HctReaderOptions {
  /** Called with the bytes of the tensor written so far, and how many there will be. */
  readonly onProgress?: ((bytes: number, totalBytes: number) => void) | undefined;
}

/** Bytes decoded at a time, into a buffer that is used again: garbage would add up to more than the rest. */
const WINDOW_SIZE = 2 ** 20;

/**
 * Decompresses an HCT file into a file of raw, row-major, little-endian elements (Node): the way back of
 * `compressFile`. The tensor may be larger than the memory. The output appears when it is complete.
 *
 * @throws TruncatedError, FormatError, ChecksumError, CodecError, UnsupportedError, LimitError; SourceError, SinkError
 */
export async function decompressFile(
  input: string | URL,
  output: string | URL,
  options: DecompressFileOptions = {},
): Promise<void> {
  const { signal, onProgress } = options;
  await using source = await fileSource(input);
  const reader = await HctReader.open(source, options);
  const { originalSize, blockSize } = reader.header;
  // Whole blocks, so that none is decoded twice.
  const step = Math.max(1, Math.floor(WINDOW_SIZE / blockSize)) * blockSize;
  const window = new Uint8Array(Math.min(step, originalSize));
  await using sink = await fileSink(output);
  for (let at = 0; at < originalSize; at += step) {
    const bytes = window.subarray(0, originalSize - at);
    await reader.readInto(bytes, at, { signal });
    await sink.write(bytes, at);
    onProgress?.(at + bytes.length, originalSize);
  }
  signal?.throwIfAborted();
  await sink.close();
}
