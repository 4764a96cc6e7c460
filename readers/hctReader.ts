import type { SourceInput } from '../platform/byteReader.js';
import { withSource } from '../sources/input.js';
import { HctSourceReader } from './hctSourceReader.js';
import { type HctReaderOptions, openHct } from './openHct.js';

/**
 * Random access to one HCT file, either version. Only the bytes that are needed are read: header and index on
 * opening, then the requested blocks. Methods can run concurrently.
 *
 * @example
 * const reader = await HctReader.open('https://example.org/model/fc1.weight.hct');
 * const rows = await reader.readRows(100, 104);
 */
export class HctReader extends HctSourceReader {
  /**
   * Reads header and index. The reader then owns the source: `close` closes it.
   * @param input a source, or anything that bytes come from: a URL, a path, a File, bytes, a stream (see
   *   {@link SourceInput})
   * @throws TruncatedError, FormatError, ChecksumError, UnsupportedError, LimitError; SourceError; ArgumentError for
   *   an input that gives no bytes
   */
  static override async open(input: SourceInput, options: HctReaderOptions = {}): Promise<HctReader> {
    return withSource(input, async (source) => new HctReader(await openHct(source, options)));
  }
}
