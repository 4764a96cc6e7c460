import type { ChunkReader } from '../platform/byteReader.js';
import { LimitError } from '../src/errors.js';
import { DEFAULT_MAX_KEPT, KeptBytes } from './kept.js';
import type { ByteRange } from './ranges.js';
import { StreamedSource } from './streamedSource.js';

/** What can only be read from start to end as a source: what has arrived stays in memory, see {@link KeptBytes}. */
export function keptSource(chunks: ChunkReader): StreamedSource {
  return new KeptSource(chunks);
}

class KeptSource extends StreamedSource {
  readonly #bytes: KeptBytes;

  constructor(chunks: ChunkReader) {
    super();
    const expected = `at most ${DEFAULT_MAX_KEPT} bytes`;
    this.#bytes = new KeptBytes(chunks, {
      maxSize: DEFAULT_MAX_KEPT,
      tooLarge: (actual) =>
        new LimitError('Cannot keep the stream in memory: it is too large; open its URL or file', {
          expected,
          actual,
        }),
    });
  }

  /** Known at the end of the stream. */
  get size(): number | undefined {
    return this.#bytes.size;
  }

  protected async open(range: ByteRange): Promise<ChunkReader> {
    return this.#bytes.reader(range);
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#bytes.close();
  }
}
