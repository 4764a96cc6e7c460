import { fileSink } from '../sinks/file.js';
import { type HctCompressionStats, HctSink, type HctWriterOptions } from '../sinks/hct.js';
import { fileSource } from '../sources/file.js';
import { planHctHeader } from '../src/hct/plan.js';

/**
 * Compresses a file of raw, row-major, little-endian elements into an HCT file (Node). The tensor may be larger than
 * the memory. The output appears when it is complete; until then, and on any error, what was there stays.
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
  const { signal } = options;
  // Refuses bad options before it touches any file.
  planHctHeader(options);
  await using source = await fileSource(input);
  const sink = new HctSink(await fileSink(output), options);
  await source.stream({ signal }).pipeTo(sink, signal === undefined ? {} : { signal });
  return sink.stats;
}
