import { withOwnSignal } from '../platform/abort.js';
import { fileSink } from '../sinks/file.js';
import { HCT_WRITER_RULES, type HctCompressionStats, HctSink, type HctWriterOptions } from '../sinks/hct.js';
import { fileSource } from '../sources/file.js';
import { callback, checkOptions, type Rules } from '../src/checks/options.js';
import { planHctHeader } from '../src/hct/plan.js';
import { chunkSize } from './hctChunks.js';
import { HctSourceReader } from './hctSourceReader.js';
import { HCT_READER_RULES, type HctReaderOptions } from './openHct.js';

/**
 * Compresses a file of raw, row-major, little-endian elements into an HCT file (Node). The tensor may be larger than
 * the memory. The output appears when it is complete; until then, and on any error, an existing file remains.
 *
 * @example
 * import { writeFile } from 'node:fs/promises';
 *
 * await writeFile('w.raw', new Uint16Array(256 * 256));
 * const { ratio } = await compressFile('w.raw', 'w.hct', { dtype: 'BF16', shape: [256, 256], algorithm: 'zstd' });
 *
 * @throws ArgumentError, TruncatedError when the file's size does not fit the shape; SourceError, SinkError
 */
export async function compressFile(
  input: string | URL,
  output: string | URL,
  options: HctWriterOptions,
): Promise<HctCompressionStats> {
  // Refuses bad options before it touches any file.
  const { signal } = checkOptions(options, HCT_WRITER_RULES);
  planHctHeader(options);
  await using source = await fileSource(input);
  const sink = new HctSink(await fileSink(output), options);
  await withOwnSignal(signal, (own) => source.stream({ signal: own }).pipeTo(sink, { signal: own }));
  return sink.stats;
}

export interface DecompressFileOptions extends HctReaderOptions {
  /** Called with the bytes of the tensor written so far, and how many there will be. */
  readonly onProgress?: ((bytes: number, totalBytes: number) => void) | undefined;
}

const DECOMPRESS_RULES: Rules<DecompressFileOptions> = { ...HCT_READER_RULES, onProgress: callback };

/**
 * Decompresses an HCT file into a file of raw, row-major, little-endian elements (Node): the inverse of
 * `compressFile`. The tensor may be larger than the memory. The output appears when it is complete.
 *
 * @example
 * await decompressFile('fc1.weight.hct', 'fc1.weight.raw', {
 *   onProgress: (bytes, totalBytes) => console.log(bytes / totalBytes),
 * });
 *
 * @throws TruncatedError, FormatError, ChecksumError, CodecError, UnsupportedError, LimitError; SourceError, SinkError
 */
export async function decompressFile(
  input: string | URL,
  output: string | URL,
  options: DecompressFileOptions = {},
): Promise<void> {
  const { signal, onProgress } = checkOptions(options, DECOMPRESS_RULES);
  await using source = await fileSource(input);
  const reader = await HctSourceReader.open(source, options);
  const { originalSize } = reader.header;
  const step = chunkSize(reader.header);
  // One buffer that is reused, because garbage would take more memory than all else.
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
